import t from 'tap'

import { simulatePlan } from '../../src/reconcile/core/simulate-plan.ts'
import { Scene } from '../support/scene.ts'

function planOf(scene: Scene, ...names: readonly string[]) {
  const keys = names.map((name) => `default/${name}`)
  const { steps, complete } = simulatePlan(scene.state, keys, scene.context)
  t.equal(complete, true)
  return steps.map(
    ({ service, action, slot, node }) => `${service} ${slot}: ${action} ${node ?? '-'}`,
  )
}

t.test('a new service is placed', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 2 })
  t.same(planOf(scene, 'web'), ['web 0: place n1', 'web 1: place n2'])
})

t.test('what cannot be placed waits', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 2, placement: { separate: [{ from: 'self', by: 'node' }] } })
  t.same(planOf(scene, 'web'), ['web 0: place n1', 'web 1: wait -'])
})

t.test('services start in the order in which they depend on each other', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'api' })
  scene.apply({ name: 'web', dependsOn: ['api'] })
  t.same(planOf(scene, 'web', 'api'), ['web 0: wait -', 'api 0: place n1', 'web 0: place n1'])
})

t.test('an update is played through to its end', async (t) => {
  const scene = new Scene('n1', 'n2', 'n3')
  scene.apply({ name: 'web', replicas: 3 })
  scene.rest()
  scene.apply({ name: 'web', replicas: 2, image: 'registry.test/app:2' })
  t.same(planOf(scene, 'web'), [
    'web 2: stop n3',
    'web 0: replace n3',
    'web 0: stop n1',
    'web 1: replace n1',
    'web 1: stop n2',
  ])
})

t.test('what is not touched stays', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 1 })
  scene.rest()
  scene.apply({ name: 'web', replicas: 2 })
  t.same(planOf(scene, 'web'), ['web 1: place n1', 'web 0: keep n1'])
})

t.test('a deletion stops everything', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 2 })
  scene.rest()
  scene.state.putService({ ...scene.service(), deleting: true })
  t.same(planOf(scene, 'web'), ['web 0: stop n1', 'web 1: stop n1'])
})
