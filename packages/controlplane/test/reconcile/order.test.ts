import fc from 'fast-check'
import t from 'tap'

import { reconcile } from '../../src/reconcile/core/reconcile.ts'
import { Chaos } from '../support/chaos.ts'
import { MemoryState } from '../support/memory-state.ts'
import { Random } from '../support/random.ts'

function shuffled<T>(items: Iterable<T>, random: Random): readonly T[] {
  return [...items]
    .map((item) => ({ item, order: random.next() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item)
}

/** The same records, put in another order. */
function permuted(from: MemoryState, seed: number): MemoryState {
  const random = new Random(seed)
  const to = new MemoryState()
  to.nowMs = from.nowMs
  for (const node of shuffled(from.nodes.values(), random)) to.putNode(node)
  for (const service of shuffled(from.services.values(), random)) {
    to.putService(service)
    for (const revision of shuffled(from.revisionsOf(service.key), random)) to.putRevision(revision)
  }
  for (const instance of shuffled(from.instances.values(), random)) to.putInstance(instance)
  for (const rollout of shuffled(from.rollouts.values(), random)) to.putRollout(rollout)
  return to
}

t.test('the same records give the same steps, in whatever order they came to be', async () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 0, max: 40 }), (seed, length) => {
      const chaos = new Chaos(seed)
      for (let index = 0; index < length; index++) chaos.step()
      const { state, context } = chaos.world
      // Something to decide about: the world has moved since the last reconcile.
      for (const [name, source] of chaos.sources) {
        const service = state.services.get(`default/${name}`)
        if (service && !service.deleting) chaos.applyService({ ...source, image: 'good:other' })
      }
      const other = permuted(state, seed)
      for (const key of state.services.keys()) {
        const expected = JSON.stringify(reconcile(state, key, context))
        if (JSON.stringify(reconcile(other, key, context)) !== expected) return false
      }
      return true
    }),
    { numRuns: Number(process.env['RUNS'] ?? 40) },
  )
})
