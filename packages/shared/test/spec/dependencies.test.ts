import fc from 'fast-check'
import t from 'tap'

import { findDependencyCycle } from '../../src/index.ts'

const edgesOf = (edges: Readonly<Record<string, readonly string[]>>) =>
  new Map(Object.entries(edges))

t.test('finds a cycle and writes it from its smallest key', async (t) => {
  t.equal(findDependencyCycle(edgesOf({ a: ['b'], b: ['c'] })), null)
  t.same(findDependencyCycle(edgesOf({ x: ['c'], c: ['b'], b: ['a'], a: ['c'] })), [
    'a',
    'c',
    'b',
    'a',
  ])
  t.same(findDependencyCycle(edgesOf({ a: ['a'] })), ['a', 'a'])
  t.equal(findDependencyCycle(edgesOf({ a: ['b', 'c'], b: ['d'], c: ['d'] })), null, 'a diamond')
})

t.test('is not limited by the stack', async (t) => {
  const chain = new Map(Array.from({ length: 50_000 }, (_, i) => [`s${i}`, [`s${i + 1}`]] as const))
  t.equal(findDependencyCycle(chain), null)
  t.equal(findDependencyCycle(new Map([...chain, ['s50000', ['s0']]]))?.length, 50_002)
})

/** By repeatedly taking away what depends on nothing that is left. */
function isCyclic(edges: ReadonlyMap<string, readonly string[]>): boolean {
  const left = new Map(edges)
  for (let changed = true; changed;) {
    changed = false
    for (const [key, uses] of left) {
      if (uses.some((used) => left.has(used))) continue
      left.delete(key)
      changed = true
    }
  }
  return left.size > 0
}

t.test('agrees with a naive model, in whatever order the edges come', async () => {
  const keys = ['a', 'b', 'c', 'd', 'e', 'f']
  const graph = fc.uniqueArray(fc.tuple(fc.constantFrom(...keys), fc.subarray(keys)), {
    selector: ([key]) => key,
  })
  fc.assert(
    fc.property(graph, (entries) => {
      const edges = new Map(entries)
      const cycle = findDependencyCycle(edges)
      const backwards = entries.map(([key, uses]) => [key, uses.toReversed()] as const).toReversed()
      const again = findDependencyCycle(new Map(backwards))
      const isReal = (cycle ?? [])
        .slice(1)
        .every((key, index) => edges.get(cycle?.[index] ?? '')?.includes(key))
      return (
        (cycle !== null) === isCyclic(edges) &&
        isReal &&
        JSON.stringify(cycle) === JSON.stringify(again)
      )
    }),
    { numRuns: 500 },
  )
})
