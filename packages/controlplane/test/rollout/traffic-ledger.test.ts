import t from 'tap'

import { TrafficLedger } from '../../src/rollout/traffic-ledger.ts'
import { Scene } from '../support/scene.ts'

function onTrial() {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 1, ports: { http: 80 }, update: { strategy: 'canary' } })
  scene.rest()
  scene.apply({ name: 'web', image: 'registry.test/app:2' })
  scene.settle()
  const clock = { nowMs: () => scene.state.nowMs }
  const id = scene.live().find(({ revision }) => revision === 2)?.id ?? ''
  return { scene, id, ledger: new TrafficLedger(scene.state, clock) }
}

t.test('what several nodes say of an instance is added up, from a time on', async (t) => {
  const { scene, id, ledger } = onTrial()
  const sinceMs = scene.state.nowMs
  t.same([...ledger.take([{ instance: id, requests: 10, errors: 0 }])], [])
  scene.wait(2000)
  t.same([...ledger.take([{ instance: id, requests: 5, errors: 2 }])], ['default/web'])
  t.same(ledger.sum([id, 'unknown'], sinceMs), { requests: 15, errors: 2 })
  t.same(ledger.sum([id], sinceMs + 1), { requests: 5, errors: 2 })
})

t.test('nothing is kept for longer than ten minutes, nor of what is not on trial', async (t) => {
  const { scene, id, ledger } = onTrial()
  ledger.take([{ instance: id, requests: 10, errors: 10 }])
  scene.wait(600_001)
  t.same(ledger.sum([id], 0), { requests: 0, errors: 0 })
  scene.apply({ name: 'api', ports: { http: 80 } })
  scene.settle('api')
  const other = scene.in(0, 'api').id
  ledger.take([{ instance: other, requests: 10, errors: 10 }, { instance: 'nobody', requests: 1, errors: 1 }])
  t.same(ledger.sum([other, 'nobody'], 0), { requests: 0, errors: 0 })
})

t.test('more errors than requests are as many requests', async (t) => {
  const { id, ledger } = onTrial()
  ledger.take([{ instance: id, requests: 0, errors: 3 }])
  t.same(ledger.sum([id], 0), { requests: 3, errors: 3 })
})
