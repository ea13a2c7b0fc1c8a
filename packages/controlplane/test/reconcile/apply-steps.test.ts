import t from 'tap'

import { applySteps } from '../../src/reconcile/apply-steps.ts'
import { aNode } from '../support/records.ts'
import { Scene } from '../support/scene.ts'

const actions = (scene: Scene, kind: string): readonly string[] =>
  scene.state.events.filter((event) => event.kind === kind).map(({ action }) => action)

t.test('everything that people may ask about becomes an event with its cause', async (t) => {
  const scene = new Scene(aNode('n1', { admittance: 'cordoned' }))
  scene.apply({ name: 'web' })
  scene.settle()
  scene.node('n1', { admittance: 'open' })
  scene.rest()
  t.same(actions(scene, 'Instance'), ['created', 'assigned'])
  t.same(actions(scene, 'Rollout'), ['rollout-started', 'rollout-completed'])
  t.same(actions(scene, 'Service'), [
    'created',
    'status-changed',
    'status-changed',
    'status-changed',
  ])
  t.match(scene.state.events.at(-1)?.reason, /progressing → converged: 1 of 1 healthy/)

  scene.state.events.length = 0
  scene.state.putNode(aNode('n2'))
  scene.node('n1', { liveness: 'lost' })
  scene.rest()
  t.same(actions(scene, 'Instance'), ['given-up', 'created'])
  t.match(scene.state.events.find(({ action }) => action === 'given-up')?.reason, /node n1 is lost/)

  scene.state.events.length = 0
  scene.apply({ name: 'web', image: 'registry.test/app:2' })
  scene.settle()
  scene.apply({ name: 'web', image: 'registry.test/app:3' })
  scene.rest()
  t.same(actions(scene, 'Rollout'), [
    'rollout-started',
    'rollout-superseded',
    'rollout-started',
    'rollout-completed',
  ])
  t.ok(actions(scene, 'Instance').includes('stopping'))
  t.ok(scene.state.events.every(({ reason }) => reason !== ''))
})

t.test('steps about what is no longer there do nothing', async (t) => {
  const scene = new Scene('n1')
  const key = 'default/web'
  applySteps(scene.state, key, [
    { kind: 'stop', id: 'web-0-x', reason: 'test' },
    { kind: 'forget', id: 'web-0-x' },
    { kind: 'status', status: 'converged', reason: '' },
    { kind: 'roll-back', to: 1, reason: 'test' },
    {
      kind: 'rollout',
      id: 'default/web@1',
      phase: 'failed',
      progressAtMs: 0,
      dueAtMs: null,
      reason: '',
      note: null,
    },
  ])
  t.equal(scene.state.instances.size + scene.state.services.size + scene.state.rollouts.size, 0)
})
