import t from 'tap'

import type { Action } from '../../src/core/action.ts'
import { leaseFrom, type LeaseStanding, provisionalLease, standingOf } from '../../src/core/lease.ts'
import { plan } from '../../src/core/plan.ts'
import type { LineageView } from '../../src/core/view.ts'
import { template } from '../support/templates.ts'
import { container, exited, lineage, nowMs, running, view } from '../support/views.ts'

const id = 'db-0-aaaaaaaa'
const exclusive = { instance: id, template: template({ exclusive: true }) }
const served = container(id)
const made = container(id, { state: 'created', startedAtMs: null, address: '' })
const healthy = { health: 'healthy', reason: running.reason, fatal: '' } as const
const endings: readonly LeaseStanding[] = ['ending', 'over']

const kinds = (actions: readonly Action[]): string[] =>
  actions.map((action) => (action.kind === 'observe' ? `observe:${action.observed.state}` : action.kind))

/** What is done until nothing is left to do but wait, as far as bookkeeping goes. */
const planned = (changes: Partial<LineageView>): string[] => kinds(plan(view(changes), nowMs).actions)

t.test('a lease runs from when the answered heartbeat was sent', async (t) => {
  const lease = leaseFrom(1000, 15_000)
  t.same(
    [1000, 10_999, 11_000, 13_499, 13_500].map((atMs) => standingOf(lease, atMs)),
    ['held', 'held', 'ending', 'ending', 'over'],
  )
  t.same([0, 4999, 5000].map((atMs) => standingOf(provisionalLease(0, 5000), atMs)), ['presumed', 'presumed', 'over'])
})

t.test('what runs is ended, though it is wanted', async (t) => {
  const runs = lineage(exclusive, running)
  t.same(planned({ lineage: runs, container: served, health: healthy, lease: 'held' }), [])
  for (const lease of endings) {
    const { actions } = plan(view({ lineage: runs, container: served, health: healthy, lease }), nowMs)
    t.same(kinds(actions), ['observe:stopping'])
    const [action] = actions
    t.match(action?.kind === 'observe' ? action.observed.reason : '', /lease of this node has run out/)
  }
  t.same(
    planned({ lineage: lineage({ instance: id }, running), container: served, health: healthy, lease: 'over' }),
    [],
    'what is not exclusive runs on',
  )
})

t.test('first it is asked to end, then made to', async (t) => {
  const observed = { ...running, state: 'stopping', health: 'unhealthy' } as const
  const asked = lineage(exclusive, observed, { ending: 'x', sinceMs: nowMs })
  t.same(planned({ lineage: asked, container: served, lease: 'ending' }), ['signal'])
  const signalled = lineage(exclusive, observed, { ending: 'x', signalled: true, sinceMs: nowMs })
  t.same(planned({ lineage: signalled, container: served, lease: 'ending' }), [], 'its grace is not over')
  t.same(planned({ lineage: signalled, container: served, lease: 'over' }), ['kill'])
})

t.test('a stop that was under way goes no slower than the lease', async (t) => {
  const stopping = { ...exclusive, desired: 'stop' } as const
  const draining = lineage(stopping, { ...running, state: 'draining' }, { sinceMs: nowMs })
  t.same(planned({ lineage: draining, container: served, lease: 'held' }), [])
  t.same(planned({ lineage: draining, container: served, lease: 'ending' }), ['observe:stopping'])
})

t.test('a process that has just started lets it run, and starts nothing', async (t) => {
  const lease = 'presumed'
  const runs = lineage(exclusive, { ...running, health: 'healthy' })
  t.same(planned({ lineage: runs, container: served, health: healthy, lease }), [])
  t.same(planned({ lineage: lineage(exclusive), lease }), ['observe:assigned'])
})

t.test('nothing is created or started without it', async (t) => {
  const reason = 'it is exclusive, and waits until the control plane has answered this node'
  for (const lease of endings) {
    t.same(planned({ lineage: lineage(exclusive), lease }), ['observe:assigned'], 'it says why it waits')
    t.same(planned({ lineage: lineage(exclusive, { reason }), lease }), [])
    const created = { state: 'created', containerId: made.id } as const
    t.same(planned({ lineage: lineage(exclusive, { ...created, reason }), container: made, lease }), [])
    const starting = { ...created, state: 'starting', reason } as const
    t.same(planned({ lineage: lineage(exclusive, starting), container: made, lease }), [])
  }
  t.same(planned({ lineage: lineage(exclusive, { reason }), lease: 'held' }), ['create'], 'and goes on with it')
})

t.test('its crash is noted all the same, and its successor waits', async (t) => {
  const crashed = view({ lineage: lineage(exclusive, running), container: exited(id, 1), lease: 'over' })
  t.same(kinds(plan(crashed, nowMs).actions), ['succeed'])
})
