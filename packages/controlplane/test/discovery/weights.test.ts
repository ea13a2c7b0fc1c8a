import fc from 'fast-check'
import t from 'tap'

import { splitWeights } from '../../src/discovery/core/weights.ts'
import { Scene } from '../support/scene.ts'

const sum = (values: readonly number[]): number => values.reduce((all, one) => all + one, 0)

t.test('the share is right whatever the numbers of instances, within 0.2 points', async () => {
  const count = fc.integer({ min: 1, max: 300 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 99 }), count, count, (share, news, olds) => {
      const split = splitWeights(share, news, olds)
      const all = [...split.new, ...split.old]
      const found = (100 * sum(split.new)) / sum(all)
      const whole = all.every((one) => Number.isInteger(one) && one >= 0 && one <= 256)
      return whole && split.new.length === news && split.old.length === olds && Math.abs(found - share) <= 0.2
    }),
    { numRuns: 3000 },
  )
})

t.test('within a side everybody gets the same, as nearly as whole numbers can be', async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 50 }), (share, news, olds) => {
      const split = splitWeights(share, news, olds)
      return [split.new, split.old].every((side) => Math.max(0, ...side) - Math.min(256, ...side) <= 1)
    }),
  )
})

t.test('who is alone gets everything, whatever was meant', async (t) => {
  t.same(splitWeights(0, 2, 0), { new: [100, 100], old: [] })
  t.same(splitWeights(100, 0, 2), { new: [], old: [100, 100] })
  t.same(splitWeights(0, 1, 2), { new: [0], old: [100, 100] })
  t.same(splitWeights(100, 1, 2), { new: [100], old: [0, 0] })
})

t.test('without a rollout that moves traffic everybody is alike', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 2, ports: { http: 80 } })
  scene.rest()
  t.same(scene.weights(), { 1: [100, 100] })
  scene.apply({ name: 'web', image: 'registry.test/app:2' })
  scene.settle()
  scene.agents()
  t.same(scene.weights(), { 1: [100, 100], 2: [100] })
})
