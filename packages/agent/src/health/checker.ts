import type { Check } from '@bulkhead/shared'

/** Where an instance can be reached by its probes. */
export interface ProbeTarget {
  readonly instance: string
  readonly containerId: string
  /** On the container's bridge. */
  readonly address: string
  /** Container ports by port name. */
  readonly ports: Readonly<Record<string, number>>
}

/** `ok: null`: nothing was learnt, because what was asked was not the program but the engine, which did not answer. */
export interface CheckResult {
  readonly ok: boolean | null
  readonly detail: string
}

/** Asks a program once. Never rejects; `signal` is aborted when the time for an answer is over. */
export interface Checker {
  check(check: Check, target: ProbeTarget, signal: AbortSignal): Promise<CheckResult>
}
