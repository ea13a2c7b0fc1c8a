import type { Check } from '@bulkhead/shared'

import type { Checker, CheckResult, ProbeTarget } from '../../../packages/agent/src/index.ts'
import type { SimContainer, SimEngine } from './engine.ts'
import type { Process } from './process.ts'
import { answers } from './program.ts'

/** Probes as they fare against the programs that run; addresses are reused, as bridges do. */
export class SimChecker implements Checker {
  readonly #engine: SimEngine
  readonly #process: Process

  constructor(engine: SimEngine, process: Process) {
    this.#engine = engine
    this.#process = process
  }

  check(check: Check, target: ProbeTarget, signal: AbortSignal): Promise<CheckResult> {
    const takesMs = this.#process.host.takesMs(0.5, 20)
    const { promise, resolve } = Promise.withResolvers<CheckResult>()
    const expire = (): void => resolve({ ok: false, detail: 'it did not answer in time' })
    if (signal.aborted) expire()
    signal.addEventListener('abort', expire, { once: true })
    const answer = (): void => {
      const result = this.#ask(check, target)
      if (result) this.#process.after(takesMs / 2, 'probe answered', () => resolve(result))
    }
    this.#process.after(takesMs / 2, 'probe', answer)
    return promise
  }

  /** Null: there is no answer. */
  #ask(check: Check, target: ProbeTarget): CheckResult | null {
    const engine = this.#engine
    if (check.kind === 'exec' && !engine.up)
      return { ok: null, detail: 'the engine does not answer' }
    const container =
      check.kind === 'exec' ? engine.containers.get(target.containerId) : this.#at(target)
    if (!container?.program) return { ok: false, detail: 'connection refused' }
    const ok = answers(container.program, engine.nowMs)
    if (ok === null) return null
    return ok ? { ok, detail: '' } : { ok, detail: 'it answered with status 503' }
  }

  #at({ address }: ProbeTarget): SimContainer | undefined {
    return this.#engine.running().find(({ info }) => info.address === address)
  }
}
