import type { ServiceSource } from '@bulkhead/shared'
import fc from 'fast-check'
import t from 'tap'

import { describeShift } from '../../src/rollout/core/describe-shift.ts'
import { instancesOf, oldInstancesOf, stagesOf, strategyOf } from '../../src/rollout/core/stages.ts'
import { aSpec } from '../support/records.ts'

type Update = NonNullable<ServiceSource['update']>

const specOf = (update: Update, replicas = 3) => aSpec({ name: 'web', replicas, update })

t.test('what was stored before there were steps has the default ones', async (t) => {
  const { steps: _, analysis: _analysis, ...canary } = specOf({ strategy: 'canary' }).update
  t.same(stagesOf(canary), stagesOf(specOf({ strategy: 'canary' }).update))
  const { keepOldMs: _keep, promote: _promote, ...blueGreen } = specOf({ strategy: 'blue-green' }).update
  t.same(stagesOf(blueGreen), [
    { weight: 0, pauseMs: 0 },
    { weight: 100, pauseMs: 300_000 },
  ])
})

t.test('old and new together are enough for everything, and fit with a surge of one', async () => {
  const weight = fc.integer({ min: 1, max: 100 })
  fc.assert(
    fc.property(weight, fc.integer({ min: 1, max: 500 }), (share, replicas) => {
      const spec = specOf({ strategy: 'canary' }, replicas)
      const both = instancesOf({ weight: share, pauseMs: 0 }, spec) + oldInstancesOf(share, replicas)
      return both >= replicas && both <= replicas + 1
    }),
  )
})

t.test('without surge one old instance is left as long as it has traffic', async (t) => {
  const spec = specOf({ strategy: 'canary', maxSurge: 0 })
  t.equal(instancesOf({ weight: 99, pauseMs: 0 }, spec), 2)
  t.equal(instancesOf({ weight: 100, pauseMs: 0 }, spec), 3)
  t.equal(strategyOf({ ...spec, replicas: 1 }), 'rolling', 'of a single one none could be left')
})

t.test('how it will go, in words', async (t) => {
  const shiftOf = (strategy: 'canary' | 'blue-green') => ({ strategy }) as Parameters<typeof describeShift>[1]
  const steps = [{ weight: 10, pause: '1m' }, { weight: 50 }]
  t.same(describeShift(specOf({ strategy: 'canary', steps }), shiftOf('canary')), [
    '10 % of new traffic to 1 of 3 instances for 1m',
    '50 % of new traffic to 2 of 3 instances until it is promoted',
    '100 % of new traffic to 3 of 3 instances',
  ])
  t.same(describeShift(specOf({ strategy: 'blue-green', promote: 'manual' }), shiftOf('blue-green')), [
    '3 new instances beside the old set, without traffic',
    'all new traffic at once, when it is promoted',
    'the old set is kept for 5m',
  ])
})
