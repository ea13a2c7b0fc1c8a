import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import t, { type Test } from 'tap'

import { openState } from '../../src/state/state.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { silent, stoppedClock } from '../state/fixtures.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const writerFile = join(import.meta.dirname, 'killed-writer.ts')

interface Data {
  readonly directory: string
  /** Where compiled code is kept from start to start. */
  readonly cache: string
  /** From this size on a thread of its own writes. */
  readonly threadBytes: number
}

/** Lets a writer run, kills it in the middle, and returns the numbers that it had acknowledged. */
async function runAndKill(data: Data, start: number): Promise<number[]> {
  const child = spawn(
    process.execPath,
    [writerFile, data.directory, String(start), String(data.threadBytes)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_COMPILE_CACHE: data.cache },
    },
  )
  const numbers: number[] = []
  const lines = createInterface({ input: child.stdout })
  const killAfterMs = Math.random() * 80
  lines.once('line', () => setTimeout(() => child.kill('SIGKILL'), killAfterMs))
  lines.on('line', (line) => numbers.push(Number(line)))
  const [, signal] = await once(child, 'close')
  t.equal(signal, 'SIGKILL')
  return numbers
}

async function rounds(t: Test, data: Data, count: number): Promise<number> {
  let start = 0
  let total = 0
  for (let round = 0; round < count; round++) {
    const acknowledged = await runAndKill(data, start)
    total += acknowledged.length
    const store = openSqliteStore({ directory: data.directory, logger: silent })
    const state = await openState({
      store,
      clock: stoppedClock,
      logger: silent,
      newClusterId: () => 'another',
      onFatal: () => undefined,
    })
    const { view } = state
    const last = Math.max(...[...view.tokens.keys()].map((id) => Number(id.slice(1))))
    const lost = acknowledged.filter(
      (number) => number > last - 100 && !view.tokens.has(`t${number}`),
    )
    const returned = [...view.tokens.keys()].filter((id) => Number(id.slice(1)) <= last - 100)
    t.equal(view.cluster, 'killed')
    t.strictSame(lost, [], 'every acknowledged write is there')
    t.ok(last >= Math.max(...acknowledged))
    t.strictSame(returned, [], 'and so is every acknowledged deletion')
    t.strictSame([...view.tokens.keys()], [...view.nodes.keys()], 'no write is there in part')
    t.equal(view.revision, last + 2, 'one revision for each write')
    start = last + 1
    await state.close()
    await store.close()
  }
  return total
}

t.test('no acknowledged write is lost when the process is killed, in 30 rounds', async (t) => {
  const cache = temporaryDirectory(t)
  const totals = await Promise.all([
    rounds(t, { directory: temporaryDirectory(t), cache, threadBytes: 1e9 }, 10),
    rounds(t, { directory: temporaryDirectory(t), cache, threadBytes: 1 }, 10),
    rounds(t, { directory: temporaryDirectory(t), cache, threadBytes: 300_000 }, 10),
  ])
  t.comment(`${totals.reduce((sum, total) => sum + total, 0)} acknowledged writes`)
})
