import { firstInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { aNode } from '../support/records.ts'
import { brief, reasons, Scene } from '../support/scene.ts'

t.test('missing slots are created, spread, with ids in the order of the serial', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 3, ports: { http: 80 } })
  const { serial } = scene.service()
  const steps = scene.round()
  t.same(brief(scene.state, steps), ['create 0 n1', 'create 1 n2', 'create 2 n1'])
  const ids = [0, 1, 2].map((slot) =>
    firstInstanceId('test', 'default/web', slot, serial + slot),
  )
  t.same(
    scene.live().map(({ id }) => id),
    ids,
  )
  t.equal(scene.service().serial, serial + 3)
  const ports = scene.live().map(({ hostPorts }) => hostPorts['http'] ?? 0)
  t.ok(ports.every((port) => port >= 20_000 && port <= 20_099))
  t.same(scene.round(), [], 'and then nothing is left to do')
})

t.test('only a service that found no room is to look again when there may be some', async (t) => {
  const scene = new Scene(aNode('n1', { facts: { zones: ['data'] } }))
  scene.apply({ name: 'web' })
  scene.round()
  t.ok(scene.lacksRoom)
  scene.round()
  t.ok(scene.lacksRoom, 'as long as it waits')
  scene.state.putNode(aNode('n2'))
  scene.round()
  t.notOk(scene.lacksRoom, 'it has a node and starts')
})

t.test('what finds no node waits with the reason, and gets one when there is one', async (t) => {
  const scene = new Scene(aNode('n1', { facts: { zones: ['data'] } }))
  scene.apply({ name: 'web' })
  t.same(brief(scene.state, scene.settle()), ['create 0 -'])
  t.equal(scene.in(0).cause, 'no node fits: 1 of 1 is not in zone application (n1)')
  t.equal(scene.service().status, 'blocked')
  t.match(scene.service().reason, /^0 of 1 healthy; slot 0: no node fits/)
  t.same(scene.round(), [])

  scene.state.putNode(aNode('n2', { liveness: 'suspect' }))
  const explained = scene.settle()
  t.same(brief(scene.state, explained), ['explain 0'])
  t.match(reasons(explained)[0], /1 is suspect \(n2\)/)

  const before = scene.in(0).id
  scene.node('n2', { liveness: 'ready' })
  t.same(brief(scene.state, scene.settle()), ['assign 0 n2'])
  t.equal(scene.in(0).id, before, 'it is the same instance')
  t.equal(scene.service().status, 'progressing')
  scene.rest()
  t.equal(scene.service().status, 'converged')
  t.equal(scene.service().reason, '1 of 1 healthy')
})

t.test('a first start waits for what it depends on', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'api', replicas: 2 })
  scene.apply({ name: 'web', replicas: 2, dependsOn: ['api'] })
  scene.settle('api')
  t.same(brief(scene.state, scene.settle()), ['create 0 -', 'create 1 -'])
  t.equal(scene.in(0).cause, 'waits for api: 0 of 2 healthy')
  t.equal(scene.service().status, 'progressing', 'waiting for others is no failure')
  t.equal(scene.dueAtMs, null)

  scene.wait(3_600_000)
  t.same(scene.round(), [], 'nor does its rollout fail meanwhile')
  scene.healthy(scene.in(1, 'api').id)
  t.same(brief(scene.state, scene.settle()), ['assign 0 n1', 'assign 1 n2'])
  const { rollouts, nowMs } = scene.state
  t.equal(rollouts.get('default/web@1')?.dueAtMs, nowMs + 600_000, 'its time begins now')
  scene.rest('api', 'web')

  for (const { id } of scene.live('api')) scene.observe(id, { health: 'unhealthy' })
  scene.apply({ name: 'web', image: 'registry.test/app:2' })
  t.match(brief(scene.state, scene.settle()), ['create 0 n1'], 'an upgrade does not wait')
  scene.rest()
  scene.apply({ name: 'web', replicas: 3 })
  t.match(
    brief(scene.state, scene.settle())[0],
    /^create 2 n/,
    'nor does a running service that grows',
  )
})

t.test('a service that depends on none that is there says so', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', dependsOn: ['api.prod'] })
  scene.settle()
  t.equal(scene.in(0).cause, 'waits for api.prod: there is no such service')
})

t.test('slots beyond the replicas go, the highest first', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 4 })
  scene.rest()
  scene.apply({ name: 'web', replicas: 2 })
  t.same(brief(scene.state, scene.settle()), ['stop 3', 'stop 2'])
  t.equal(scene.service().status, 'progressing')
  scene.rest()
  t.equal(scene.service().status, 'converged')
  scene.apply({ name: 'web', replicas: 0 })
  t.same(brief(scene.state, scene.settle()), ['stop 1', 'stop 0'])
  scene.rest()
  t.same([scene.service().status, scene.service().reason], ['converged', '0 of 0 healthy'])
  scene.apply({ name: 'web', replicas: 1 })
  t.same(brief(scene.state, scene.settle()), ['create 0 n1'])
})

t.test('a surplus instance stays as long as it is needed for the floor', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 3 })
  scene.rest()
  scene.observe(scene.in(0).id, { health: 'unhealthy', healthySinceMs: null })
  scene.apply({ name: 'web', replicas: 1 })
  t.same(brief(scene.state, scene.settle()), ['stop 2'])
  t.match(scene.service().reason, /slot 1: web-1-\w+ is surplus and stays until 1 of the 1 wanted/)
  scene.healthy(scene.in(0).id)
  t.same(brief(scene.state, scene.settle()), [], 'not at once')
  t.equal(scene.dueAtMs, scene.state.nowMs + 5000)
  scene.wait(5000)
  t.same(brief(scene.state, scene.settle()), ['stop 1'])
})

t.test('a slot that stops does not get another instance above the ceiling', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 2, update: { maxSurge: 0 } })
  scene.rest()
  scene.apply({ name: 'web', replicas: 1 })
  scene.settle()
  scene.apply({ name: 'web', replicas: 2 })
  t.same(brief(scene.state, scene.settle()), [], 'two exist still')
  t.match(scene.service().reason, /slot 1: waits until one that stops is gone/)
  scene.agents()
  t.same(brief(scene.state, scene.settle()), ['create 1 n2'])
})

t.test('a deleted service is stopped, and forgotten when nothing of it is left', async (t) => {
  const scene = new Scene('n1', 'n2', 'n3')
  scene.apply({ name: 'web', replicas: 3 })
  scene.rest()
  scene.node('n3', { liveness: 'lost' })
  scene.state.putService({ ...scene.service(), deleting: true })
  t.same(brief(scene.state, scene.settle()), ['stop 0', 'stop 1', 'stop 2'])
  scene.agents()
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.service().status, 'blocked')
  t.equal(
    scene.service().reason,
    'is deleted: 1 instance is not gone yet; nothing is heard from n3',
  )
  scene.node('n3', { liveness: 'ready' })
  scene.agents()
  t.same(brief(scene.state, scene.settle()), ['remove-service'])
  const { services, instances, rollouts } = scene.state
  t.same([services.size, instances.size, rollouts.size], [0, 0, 0])
  t.same(scene.state.revisionsOf('default/web'), [])
})
