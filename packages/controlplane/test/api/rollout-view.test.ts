import type { ServiceSource } from '@bulkhead/shared'
import t from 'tap'

import { rolloutView } from '../../src/api/views/rollout-view.ts'
import { pauseRollout } from '../../src/rollout/core/pause.ts'
import { aNode, anInstance, apply } from '../support/records.ts'
import { Scene } from '../support/scene.ts'
import { serve } from './serve.ts'

const update: NonNullable<ServiceSource['update']> = {
  strategy: 'canary',
  steps: [{ weight: 10, pause: '1m' }, { weight: 50 }],
}

t.test('how far a canary is, what it waits for and what its requests say', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 2, ports: { http: 80 }, update })
  scene.rest()
  scene.apply({ name: 'web', image: 'registry.test/app:2' })
  const traffic = { sum: () => ({ requests: 60, errors: 3 }) }
  const shift = () => {
    const rollout = scene.state.rollouts.get('default/web@2')
    return rollout && rolloutView({ state: { view: scene.state }, traffic }, rollout).shift
  }
  scene.settle()
  t.same(shift(), {
    strategy: 'canary',
    step: 1,
    steps: [
      { weight: 10, pause: '1m' },
      { weight: 50, pause: 'manual' },
      { weight: 100, pause: '0s' },
    ],
    weight: 0,
    waitsFor: 'instances',
    dueAt: null,
    requests: 60,
    errors: 3,
    maxErrorPercent: 5,
    minRequests: 50,
  })
  scene.agents()
  t.match(shift(), { weight: 10, waitsFor: 'instances' }, 'it serves, and is not available yet')
  scene.wait(5000)
  scene.settle()
  const dueAt = new Date(scene.state.nowMs + 60_000).toISOString()
  t.match(shift(), { weight: 10, waitsFor: 'time', dueAt })
  pauseRollout(scene.state, scene.service())
  t.match(shift(), { weight: 10, waitsFor: 'resume' })
  const first = scene.state.rollouts.get('default/web@1')
  t.notOk(first && 'shift' in rolloutView({ state: { view: scene.state }, traffic }, first))
})

t.test('promote over HTTP: what it does, and why it does not', async (t) => {
  await using served = await serve()
  const promote = (body: object) => served.call('POST', '/v1/services/default/web/promote', body)
  t.match(await promote({}), { status: 404 })
  await served.state.write({ actor: 'test' }, (tx) => {
    tx.putNode(aNode('n1'))
    apply(tx, { name: 'web', ports: { http: 80 }, update })
    const first = tx.openRolloutOf('default/web')
    if (first) tx.putRollout({ ...first, phase: 'completed', endedAtMs: tx.nowMs })
    tx.putInstance(anInstance({ id: 'web-0-abcdefgh', service: 'default/web', hostPorts: { http: 20_000 } }))
    apply(tx, { name: 'web', ports: { http: 80 }, update, image: 'registry.test/app:2' })
  })
  t.match(await promote({ full: 'yes' }), { status: 400 })
  t.match(await promote({ full: true }), { status: 200 })
  t.match((await served.call('GET', '/v1/rollouts?service=web')).body, {
    items: [{ to: 1 }, { to: 2, phase: 'progressing', shift: { strategy: 'canary', step: 3 } }],
  })
  const { body } = await served.call('GET', '/v1/events?kind=Rollout')
  t.match(body, { items: [{}, {}, { action: 'promoted', reason: 'promoted by admin to the end' }] })
  await served.state.write({ actor: 'test' }, (tx) => {
    apply(tx, { name: 'web', ports: { http: 80 }, image: 'registry.test/app:3' })
  })
  t.match(await promote({}), { status: 409, body: { detail: /has no rollout that waits to be promoted/ } })
})
