import type { NameState } from './core/name-state.ts'

/** How far names are served. */
export interface Served {
  /** Gateways at which questions are answered. */
  readonly listening: readonly string[]
  /** Why not at the others. */
  readonly problems: Readonly<Record<string, string>>
}

/** Answers questions for names on this machine. It outlives the agent. */
export interface NameServing {
  /** Resolves when every answer goes by `state`, or by a later one. Rejects when that could not be made sure of. */
  serve(state: NameState): Promise<Served>
  /** Looks after it until `signal` is aborted, which leaves it serving. */
  guard(signal: AbortSignal, onServed: (served: Served) => void): Promise<void>
  /** Ends it for good. */
  stop(): Promise<void>
}
