import type { FromAgentMessage } from '@bulkhead/shared'

type Notice = Extract<FromAgentMessage, { kind: 'notice' }>

/** Told while nobody listened; of more than this the oldest are left out. */
const keptLimit = 32

/** What operators should know of, told as soon as somebody listens. */
export class Notices {
  readonly #send: (notice: Notice) => void
  readonly #isHeard: () => boolean
  #kept: Notice[] = []

  constructor(deps: { readonly send: (notice: Notice) => void; readonly isHeard: () => boolean }) {
    this.#send = deps.send
    this.#isHeard = deps.isHeard
  }

  tell(action: string, reason: string): void {
    this.#kept = [...this.#kept, { kind: 'notice' as const, action, reason }].slice(-keptLimit)
    this.flush()
  }

  flush(): void {
    if (!this.#isHeard()) return
    const kept = this.#kept
    this.#kept = []
    for (const notice of kept) this.#send(notice)
  }
}
