import { explore } from './explore.ts'
import { invariants } from './invariants/all.ts'
import { featuresOf } from './scenario/features.ts'
import { generate } from './scenario/generate.ts'
import { World } from './world/world.ts'

/** Longer than any census takes. */
const mostSeconds = 3600

interface Count {
  seeds: number
  times: number
}

/** How often something occurs over several seeds. */
class Counts {
  readonly of = new Map<string, Count>()

  add(what: string, times: number): void {
    const count = this.of.get(what) ?? { seeds: 0, times: 0 }
    this.of.set(what, { seeds: count.seeds + (times > 0 ? 1 : 0), times: count.times + times })
  }
}

function table(title: string, { of }: Counts, seeds: number): string[] {
  const rows = [...of].toSorted(([, a], [, b]) => b.seeds - a.seeds || b.times - a.times)
  const lines = rows.map(([what, count]) => {
    const share = Math.round((100 * count.seeds) / Math.max(seeds, 1))
    return `| ${what} | ${share} % | ${count.times} |`
  })
  return [`| ${title} | of the seeds | times |`, '| --- | --- | --- |', ...lines, '']
}

/** Runs so many seeds and says how often each fault, action and feature occurs, and how often each promise was judged. */
export async function takeCensus(first: number, most: number): Promise<string[]> {
  const [faults, actions, features] = [new Counts(), new Counts(), new Counts()]
  const promises = new Counts()
  const world = new World({ ...generate(first), steps: [] }, false)
  const names = [...invariants.map((make) => make(world).name), 'converges', 'rests']
  let seeds = 0
  const broken: string[] = []
  await explore(
    mostSeconds,
    first,
    ({ seed, counts, violation }) => {
      seeds += 1
      if (violation !== null) broken.push(`seed ${seed} broke ${violation.invariant}`)
      const scenario = generate(seed)
      const drawn = new Counts()
      for (const { kind } of scenario.steps) drawn.add(kind, 1)
      for (const [kind, { times }] of drawn.of) {
        if (!world.isOperatorKind(kind)) faults.add(kind, times)
      }
      for (const [what, times] of counts) {
        if (what.startsWith('done ')) actions.add(what.slice('done '.length), times)
      }
      for (const feature of featuresOf(scenario)) features.add(feature, 1)
      for (const name of names) promises.add(name, counts.get(name) ?? 0)
    },
    most,
  )
  return [
    `${seeds} seeds from ${first}`,
    ...broken,
    '',
    ...table('fault', faults, seeds),
    ...table('action that was acknowledged', actions, seeds),
    ...table('feature', features, seeds),
    ...table('promise that had something to judge', promises, seeds),
  ]
}
