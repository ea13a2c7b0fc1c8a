import type fc from 'fast-check'

/** One property of a target. */
export interface Check {
  readonly name: string
  /** Cases in each round. */
  readonly runs: number
  readonly property: fc.IRawProperty<unknown>
}

/** Something that strangers' input reaches. */
export interface Target extends AsyncDisposable {
  readonly name: string
  readonly checks: readonly Check[]
  /** Throws when what was sent so far has left damage behind. */
  inspect(): Promise<void>
}

export type OpenTarget = () => Promise<Target>

/** A target of pure functions: there is nothing to open, to close or to look after. */
export function pureTarget(name: string, checks: readonly Check[]): Target {
  return { name, checks, inspect: async () => {}, [Symbol.asyncDispose]: async () => {} }
}

/** Throws unless `condition` holds. */
export function expect(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** The result of `run`, which has to be there within `limitMs`. */
export function within<T>(limitMs: number, what: string, run: () => T): T {
  const startMs = performance.now()
  const result = run()
  const tookMs = performance.now() - startMs
  expect(tookMs <= limitMs, `${what} took ${Math.round(tookMs)} ms, more than ${limitMs} ms`)
  return result
}
