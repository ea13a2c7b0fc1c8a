import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { backOffMs } from '../../src/reconcile/core/replace-failed.ts'
import { observing } from '../support/records.ts'
import { brief, reasons, Scene } from '../support/scene.ts'

t.test('the back-off is the one that agents use', async (t) => {
  const restart = { delayMs: 1000, maxDelayMs: 6000, resetAfterMs: 600_000 }
  t.same(
    [0, 1, 2, 3, 4, 5, 99].map((n) => backOffMs(n, restart)),
    [0, 0, 1000, 2000, 4000, 6000, 6000],
  )
})

t.test('what never ran is replaced at once, elsewhere, and later each time', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', update: { onFailure: 'pause' } })
  scene.rest()
  scene.apply({
    name: 'web',
    image: 'registry.test/app:2',
    update: { maxSurge: 0, onFailure: 'pause' },
  })
  scene.settle()
  scene.agents()
  scene.settle()
  const delays: number[] = []
  const nodes: (string | null)[] = []
  for (let count = 0; count < 4; count++) {
    const { id, node } = scene.in(0)
    nodes.push(node)
    scene.failed(id, { neverStarted: true, reason: 'image not found' })
    scene.settle()
    const next = scene.in(0)
    t.equal(next.attempt, count + 1)
    t.equal(next.predecessor, id)
    t.equal(next.cause, `replaces ${id}, which could not be started on ${node}: image not found`)
    delays.push(next.startAtMs - scene.state.nowMs)
  }
  t.same(delays, [0, 1000, 2000, 4000])
  t.same(nodes.slice(0, 2).toSorted(), ['n1', 'n2'], 'another node first')
})

t.test('a failure that the agent has answered is left to it', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.rest()
  const first = scene.in(0)
  scene.failed(first.id)
  const successor = {
    ...first,
    id: successorInstanceId(first.id),
    predecessor: first.id,
    attempt: 1,
    createdAtMs: scene.state.nowMs,
  }
  scene.state.putInstance({
    ...successor,
    observed: { ...first.observed, state: 'created', health: 'unknown' },
  })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.service().status, 'degraded')
  t.equal(scene.service().reason, '0 of 1 healthy; slot 0: starts again after 1 failure: exited with code 1')

  const startAtMs = scene.state.nowMs + 8000
  scene.state.putInstance({
    ...successor,
    attempt: 3,
    startAtMs,
    observed: observing({ state: 'created' }),
  })
  scene.settle()
  t.match(
    scene.service().reason,
    /slot 0: waits until 1970-01-01T\S+Z before it is started again, after 3 failures in a row: exited with code 1$/,
  )
  t.equal(scene.dueAtMs, startAtMs, 'it is looked at again when the wait is over')
  scene.wait(8000)
  scene.settle()
  t.equal(scene.service().reason, '0 of 1 healthy; slot 0: starts again after 3 failures: exited with code 1')
})

t.test('a failure without a successor is ours after a while', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.rest()
  const first = scene.in(0)
  scene.failed(first.id, { reason: 'its container is no longer on the node' })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.dueAtMs, scene.state.nowMs + 10_000)
  t.equal(scene.service().status, 'degraded')
  scene.wait(10_000)
  t.same(brief(scene.state, scene.settle()), ['create 0 n1'])
  t.equal(scene.in(0).attempt, 1)
  t.equal(scene.in(0).predecessor, first.id, 'so that a late successor is not taken in as well')
})

t.test('a successor that is reported late after all keeps the slot', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.rest()
  const first = scene.in(0)
  scene.failed(first.id)
  scene.node('n1', { admittance: 'cordoned' })
  scene.wait(10_000)
  t.same(brief(scene.state, scene.settle()), ['create 0 -'])
  const late = { ...first, id: successorInstanceId(first.id), predecessor: first.id }
  scene.state.putInstance({ ...late, createdAtMs: scene.state.nowMs })
  t.same(brief(scene.state, scene.settle()), ['stop', 'forget'])
  t.equal(scene.in(0).id, late.id)
})

t.test('a long run begins a new row of failures', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', restart: { resetAfter: '1m' } })
  scene.rest()
  const { id } = scene.in(0)
  const instance = { ...scene.in(0), attempt: 5 }
  scene.state.putInstance(instance)
  scene.wait(61_000)
  scene.failed(id)
  scene.wait(10_000)
  scene.settle()
  t.equal(scene.in(0).attempt, 1)
})

t.test('an agent clock that is ahead does not put the replacement off', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.rest()
  const { nowMs } = scene.state
  scene.failed(scene.in(0).id, { neverStarted: true, finishedAtMs: nowMs + 3_600_000 })
  scene.settle()
  t.equal(scene.in(0).startAtMs, nowMs)
})

t.test('nothing but the last three gone instances of a slot is kept', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', update: { onFailure: 'pause' } })
  scene.settle()
  for (let count = 0; count < 6; count++) {
    scene.failed(scene.in(0).id, { neverStarted: true })
    scene.wait(60_000)
    scene.settle()
  }
  const all = scene.state.instancesOf('default/web')
  t.equal(all.length, 4)
  t.same(
    all.map(({ attempt }) => attempt),
    [3, 4, 5, 6],
  )
})

t.test('a removed node takes its instances with it', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 2 })
  scene.rest()
  const { id } = scene.in(0)
  scene.state.deleteNode('n1')
  const steps = scene.settle()
  t.same(steps[0], { kind: 'forget', id })
  t.same(brief(scene.state, steps).slice(1), ['create 0 n2'])
  t.same(reasons(steps)[0], 'revision 1: applied')
})
