import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setPriority } from 'node:os'
import { fileURLToPath } from 'node:url'

import type { Answer, Command, LoadFigures } from './commands.ts'

/** The simulated agents, in a process of their own. */
export class Fleet implements AsyncDisposable {
  readonly #process: ChildProcess

  /** `niceness`: of those that only make load; in earnest they would have processors of their own. */
  constructor(niceness = 0) {
    this.#process = fork(fileURLToPath(new URL('main.ts', import.meta.url)), {
      execArgv: ['--max-old-space-size=4000'],
    })
    if (niceness > 0 && this.#process.pid !== undefined) setPriority(this.#process.pid, niceness)
  }

  async tell(command: Command): Promise<Answer> {
    this.#process.send(command)
    const ended = new AbortController()
    try {
      const answer = once(this.#process, 'message', { signal: ended.signal })
      const exit = once(this.#process, 'exit', { signal: ended.signal }).then(() => {
        throw new Error('the process of the simulated agents has ended: see its output above')
      })
      const [message] = (await Promise.race([answer, exit])) as [Answer]
      return message
    } finally {
      ended.abort()
    }
  }

  async load(changesPerS: number, forS: number): Promise<LoadFigures> {
    const figures = await this.tell({ kind: 'load', changesPerS, forS })
    if (figures === null) throw new Error('a load without figures')
    return figures
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#process.exitCode === null && this.#process.connected) await this.tell({ kind: 'end' })
  }
}
