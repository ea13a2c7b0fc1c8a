import t from 'tap'

import { MemoryState } from '../support/memory-state.ts'
import { apply } from '../support/records.ts'

t.test('the first revision makes the service and a rollout from nothing', async (t) => {
  const state = new MemoryState()
  const revision = apply(state, { name: 'web', update: { progressDeadline: '2m' } })
  t.match(revision, { service: 'default/web', revision: 1, actor: 'admin', cause: 'applied' })
  t.match(state.services.get('default/web'), {
    environment: 'default',
    name: 'web',
    revision: 1,
    // No service of the same name before it can have had the same ids.
    serial: 1_000_000,
    deleting: false,
    status: 'progressing',
    createdAtMs: state.nowMs,
  })
  t.match(state.rollouts.get('default/web@1'), {
    from: null,
    to: 1,
    phase: 'progressing',
    startedAtMs: state.nowMs,
    dueAtMs: state.nowMs + 120_000,
  })
})

t.test('only another template opens a rollout, and ends the open one', async (t) => {
  const state = new MemoryState()
  apply(state, { name: 'web' })
  apply(state, { name: 'web', replicas: 3 })
  t.same([...state.rollouts.keys()], ['default/web@1'])
  t.equal(state.services.get('default/web')?.revision, 2)
  apply(state, { name: 'web', replicas: 3, image: 'registry.test/app:2' })
  t.match(state.rollouts.get('default/web@1'), {
    phase: 'superseded',
    reason: 'superseded by revision 3',
    dueAtMs: null,
    endedAtMs: state.nowMs,
  })
  t.match(state.rollouts.get('default/web@3'), { from: 1, to: 3, phase: 'progressing' })
  t.equal(state.openRolloutOf('default/web')?.to, 3)
  apply(state, { name: 'web', replicas: 3, image: 'registry.test/app:2' }, { generation: 1 })
  t.equal(state.openRolloutOf('default/web')?.to, 4, 'a restart is one too')
})

t.test('hashes tell what has changed', async (t) => {
  const state = new MemoryState()
  const first = apply(state, { name: 'web' })
  const again = apply(state, { name: 'web' })
  const scaled = apply(state, { name: 'web', replicas: 2 })
  const newer = apply(state, { name: 'web', image: 'registry.test/app:2' })
  t.equal(again.specHash, first.specHash)
  t.not(scaled.specHash, first.specHash)
  t.equal(scaled.templateHash, first.templateHash)
  t.not(newer.templateHash, first.templateHash)
})

t.test('numbers only count up', async (t) => {
  const state = new MemoryState()
  for (let count = 0; count < 3; count++) apply(state, { name: 'web', replicas: count })
  state.deleteRevision('default/web', 1)
  t.equal(apply(state, { name: 'web', replicas: 9 }).revision, 4)
})
