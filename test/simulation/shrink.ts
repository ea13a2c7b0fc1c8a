import { run } from './run.ts'
import type { Scenario, Step } from './scenario/scenario.ts'

/** Runs at most; shrinking is a help, not a proof. */
const maxRuns = 400

export interface Shrunk {
  readonly scenario: Scenario
  readonly runs: number
}

/** Drops steps, and then machines, as long as the same promise is still broken: delta debugging by halves. */
export async function shrink(scenario: Scenario, invariant: string): Promise<Shrunk> {
  let runs = 0
  const stillFails = async (candidate: Scenario): Promise<boolean> => {
    if (runs >= maxRuns) return false
    runs += 1
    const { violation } = await run(candidate)
    return violation?.invariant === invariant
  }
  const steps = await minimise(scenario.steps, (kept) => stillFails({ ...scenario, steps: kept }))
  const fewer = { ...scenario, steps }
  const nodes = await minimise(fewer.nodes, (kept) => stillFails({ ...fewer, nodes: kept }))
  const smaller = { ...fewer, nodes }
  const lastMs = steps.reduce((last: number, { atMs }: Step) => Math.max(last, atMs), 0)
  const shorter = { ...smaller, troubleMs: Math.min(smaller.troubleMs, lastMs + 1000) }
  return { scenario: (await stillFails(shorter)) ? shorter : smaller, runs }
}

/** Zeller's ddmin: tries to leave out ever smaller parts. `fails` is true for the whole list. */
async function minimise<T>(
  all: readonly T[],
  fails: (kept: readonly T[]) => Promise<boolean>,
): Promise<readonly T[]> {
  let kept = all
  let parts = 2
  while (kept.length > 1) {
    const size = Math.ceil(kept.length / parts)
    let left: readonly T[] | null = null
    for (let start = 0; start < kept.length && left === null; start += size) {
      const without = [...kept.slice(0, start), ...kept.slice(start + size)]
      if (await fails(without)) left = without
    }
    if (left !== null) {
      kept = left
      parts = Math.max(parts - 1, 2)
    } else if (size === 1) {
      return kept
    } else {
      parts = Math.min(parts * 2, kept.length)
    }
  }
  return kept
}
