import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import type { Action } from '../../src/core/action.ts'
import { plan } from '../../src/core/plan.ts'
import type { LineageView } from '../../src/core/view.ts'
import { template } from '../support/templates.ts'
import { container, exited, lineage, nowMs, running, view } from '../support/views.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)
const served = container(id)
const withPorts = template({ ports: { http: { port: 80, protocol: 'tcp', host: null } } })
const healthy = { health: 'healthy', reason: running.reason, fatal: '' } as const

/** `kind`, `observe:STATE`, `discard:CONTAINER` … */
function short(action: Action): string {
  if (action.kind === 'observe') return `observe:${action.observed.state}`
  if (action.kind === 'discard') return `discard:${action.containerId}`
  if (action.kind === 'signal') return `signal:${action.signal}`
  if (action.kind === 'remove' || action.kind === 'start')
    return `${action.kind}:${action.containerId}`
  return action.kind
}

interface Row {
  readonly what: string
  readonly view: LineageView
  readonly actions: readonly string[]
  readonly dueInMs?: number | null
}

function check(name: string, rows: readonly Row[]): void {
  t.test(name, async (t) => {
    for (const row of rows) {
      const planned = plan(row.view, nowMs)
      t.same(planned.actions.map(short), row.actions, row.what)
      const dueAtMs = row.dueInMs == null ? null : nowMs + row.dueInMs
      t.equal(planned.dueAtMs, dueAtMs, `${row.what}: due`)
    }
  })
}

const created = { state: 'created', containerId: `c-${id}` } as const
const madeContainer = container(id, { state: 'created', startedAtMs: null, address: '' })

check('from assigned to running', [
  { what: 'new', view: view(), actions: ['create'] },
  {
    what: 'no image',
    view: view({ imageAbsent: true, lineage: remote() }),
    actions: ['observe:pulling'],
  },
  {
    what: 'pulling',
    view: view({ imageAbsent: true, lineage: remote({ state: 'pulling' }) }),
    actions: ['pull'],
  },
  {
    what: 'pulled',
    view: view({ lineage: remote({ state: 'pulling' }) }),
    actions: ['create'],
  },
  { what: 'no local image', view: view({ imageAbsent: true }), actions: ['observe:failed'] },
  { what: 'made', view: view({ container: madeContainer }), actions: ['observe:created'] },
  {
    what: 'noted as made',
    view: view({ container: madeContainer, lineage: lineage({}, created) }),
    actions: ['observe:starting'],
  },
  {
    what: 'starting',
    view: view({
      container: madeContainer,
      lineage: lineage({}, { ...created, state: 'starting' }),
    }),
    actions: [`start:c-${id}`],
  },
  {
    what: 'runs',
    view: view({ container: served, lineage: lineage({}, { ...created, state: 'starting' }) }),
    actions: ['observe:running'],
  },
  {
    what: 'found running although only assigned',
    view: view({ container: served }),
    actions: ['observe:running'],
  },
  {
    what: 'found paused',
    view: view({ container: container(id, { state: 'paused' }) }),
    actions: ['observe:running'],
  },
  {
    what: 'ended before it was seen to run',
    view: view({
      container: exited(id, 1),
      lineage: lineage({}, { ...created, state: 'starting' }),
    }),
    actions: ['succeed'],
  },
  {
    what: 'vanished while starting',
    view: view({ lineage: lineage({}, { ...created, state: 'starting' }) }),
    actions: ['succeed'],
  },
  {
    what: 'vanished before it was started: made again',
    view: view({ lineage: lineage({}, created) }),
    actions: ['create'],
  },
])

function remote(observed = {}) {
  const image = { name: 'r/web:1', reference: 'r/web@sha256:1', digest: 'sha256:1', local: false }
  return lineage({ template: template({ image }) }, observed)
}

check('back-off', [
  {
    what: 'the container is made while it waits',
    view: view({ lineage: lineage({ startAtMs: nowMs + 4000 }) }),
    actions: ['create'],
  },
  {
    what: 'made, and waits',
    view: view({
      container: madeContainer,
      lineage: lineage({ startAtMs: nowMs + 4000, attempt: 3 }, created, { knownAtMs: nowMs }),
    }),
    actions: [],
    dueInMs: 4000,
  },
  {
    what: 'a start in the far future is not believed',
    view: view({
      container: madeContainer,
      lineage: lineage({ startAtMs: nowMs + 86_400_000 }, created, { knownAtMs: nowMs - 10_000 }),
    }),
    actions: [],
    dueInMs: 50_000,
  },
  {
    what: 'a try to be repeated later',
    view: view({
      container: madeContainer,
      lineage: lineage({}, created, { retryAtMs: nowMs + 100, tries: 1 }),
    }),
    actions: [],
    dueInMs: 100,
  },
  {
    what: 'a retry in the far future, because the clock went back',
    view: view({
      container: madeContainer,
      lineage: lineage({}, created, { retryAtMs: nowMs + 3_600_000 }),
    }),
    actions: ['observe:starting'],
  },
])

const run = lineage({}, { ...running, containerId: served.id })

check('running', [
  {
    what: 'paused by somebody',
    view: view({
      container: container(id, { state: 'paused' }),
      lineage: lineage({}, running),
      health: { ...healthy, health: 'unhealthy', fatal: 'no answer' },
    }),
    actions: ['observe:running'],
  },
  {
    what: 'off its network',
    view: view({
      container: container(id, { isDetached: true }),
      lineage: lineage({}, running),
      health: healthy,
    }),
    actions: ['observe:stopping'],
  },
  { what: 'nothing to do', view: view({ container: served, lineage: run }), actions: [] },
  {
    what: 'healthy as before',
    view: view({
      container: served,
      lineage: run,
      health: healthy,
      prepared: container(next, { state: 'created' }),
    }),
    actions: [],
  },
  {
    what: 'no longer healthy',
    view: view({
      container: served,
      lineage: run,
      health: { health: 'unhealthy', reason: 'its readiness probe failed: HTTP 503', fatal: '' },
    }),
    actions: ['observe:running'],
  },
  {
    what: 'crashed',
    view: view({ container: exited(id, 137), lineage: run }),
    actions: ['succeed'],
  },
  { what: 'removed by somebody', view: view({ lineage: run }), actions: ['succeed'] },
  {
    what: 'condemned by a probe',
    view: view({
      container: served,
      lineage: run,
      health: {
        health: 'unhealthy',
        reason: 'x',
        fatal: 'its liveness probe failed 3 times in a row: no answer in time',
      },
    }),
    actions: ['observe:stopping'],
  },
  {
    what: 'drains: nobody is connected any more',
    view: view({
      container: served,
      lineage: lineage({ desired: 'stop' }, { ...running, state: 'draining' }, { sinceMs: nowMs }),
      isQuiet: true,
    }),
    actions: ['observe:stopping'],
  },
  {
    what: 'condemned: signal',
    view: view({
      container: served,
      lineage: lineage({}, { ...running, state: 'stopping' }, { ending: 'x', sinceMs: nowMs }),
    }),
    actions: ['signal:SIGTERM'],
  },
  {
    what: 'condemned: ended',
    view: view({
      container: exited(id, 143),
      lineage: lineage({}, { ...running, state: 'stopping' }, { ending: 'x' }),
    }),
    actions: ['succeed'],
  },
])

check('a prepared successor', [
  {
    what: 'when healthy for long enough and there is time',
    view: view({ container: served, lineage: run, health: healthy, mayPrepare: true }),
    actions: ['prepare'],
  },
  {
    what: 'not yet',
    view: view({
      container: served,
      lineage: lineage({}, { ...running, healthySinceMs: nowMs - 500 }),
      health: healthy,
      mayPrepare: true,
    }),
    actions: [],
    dueInMs: 1500,
  },
  {
    what: 'is there already',
    view: view({
      container: served,
      lineage: run,
      health: healthy,
      mayPrepare: true,
      prepared: container(next, { state: 'created' }),
    }),
    actions: [],
  },
  {
    what: 'goes first when the instance is stopped',
    view: view({
      container: served,
      lineage: stopping(running),
      prepared: container(next, { state: 'created' }),
    }),
    actions: [`remove:c-${next}`],
  },
  {
    what: 'goes when the instance could not be started',
    view: view({
      lineage: lineage({}, { state: 'failed', neverStarted: true }),
      prepared: container(next, { state: 'created' }),
    }),
    actions: [`remove:c-${next}`],
  },
])

function stopping(observed = {}, link = {}, changes = {}) {
  return lineage(
    { desired: 'stop', cause: 'scaled down', template: withPorts, ...changes },
    observed,
    link,
  )
}

const stop = { ...running, state: 'stopping' } as const

check('stopping', [
  { what: 'never made', view: view({ lineage: stopping() }), actions: ['observe:stopped'] },
  {
    what: 'made, not started',
    view: view({ lineage: stopping(created), container: madeContainer }),
    actions: [`remove:c-${id}`],
  },
  {
    what: 'served',
    view: view({ lineage: stopping(running), container: served }),
    actions: ['observe:draining'],
  },
  {
    what: 'not healthy: nobody to wait for',
    view: view({ lineage: stopping({ ...running, health: 'unhealthy' }), container: served }),
    actions: ['observe:stopping'],
  },
  {
    what: 'no ports: nobody to wait for',
    view: view({ lineage: stopping(running, {}, { template: template() }), container: served }),
    actions: ['observe:stopping'],
  },
  {
    what: 'no drain wanted',
    view: view({
      lineage: stopping(
        running,
        {},
        { template: template({ ...withPorts, stop: { drainMs: 0 } }) },
      ),
      container: served,
    }),
    actions: ['observe:stopping'],
  },
  {
    what: 'drains',
    view: view({
      lineage: stopping({ ...running, state: 'draining' }, { sinceMs: nowMs - 1000 }),
      container: served,
    }),
    actions: [],
    dueInMs: 4000,
  },
  {
    what: 'has drained',
    view: view({
      lineage: stopping({ ...running, state: 'draining' }, { sinceMs: nowMs - 5000 }),
      container: served,
    }),
    actions: ['observe:stopping'],
  },
  {
    what: 'drains since tomorrow: the clock went back',
    view: view({
      lineage: stopping({ ...running, state: 'draining' }, { sinceMs: nowMs + 86_400_000 }),
      container: served,
    }),
    actions: ['observe:stopping'],
  },
  {
    what: 'signal',
    view: view({ lineage: stopping(stop, { sinceMs: nowMs }), container: served }),
    actions: ['signal:SIGTERM'],
  },
  {
    what: 'grace',
    view: view({
      lineage: stopping(stop, { sinceMs: nowMs - 1000, signalled: true }),
      container: served,
    }),
    actions: [],
    dueInMs: 9000,
  },
  {
    what: 'grace is over',
    view: view({
      lineage: stopping(stop, { sinceMs: nowMs - 10_000, signalled: true }),
      container: served,
    }),
    actions: ['kill'],
  },
  {
    what: 'killed',
    view: view({
      lineage: stopping(stop, { sinceMs: nowMs - 10_000, signalled: true, killedAtMs: nowMs }),
      container: served,
    }),
    actions: [],
    dueInMs: 5000,
  },
  {
    what: 'ended: note how',
    view: view({ lineage: stopping(stop, { signalled: true }), container: exited(id, 0) }),
    actions: ['observe:stopping'],
  },
  {
    what: 'ended and noted',
    view: view({
      lineage: stopping({ ...stop, exitCode: 0 }, { signalled: true }),
      container: exited(id, 0),
    }),
    actions: [`remove:c-${id}`],
  },
  {
    what: 'removed',
    view: view({ lineage: stopping({ ...stop, exitCode: 0 }, { signalled: true }) }),
    actions: ['observe:stopped'],
  },
  {
    what: 'stopped',
    view: view({ lineage: stopping({ ...stop, state: 'stopped' }) }),
    actions: [],
  },
  {
    what: 'stopped, but there it is again',
    view: view({ lineage: stopping({ ...stop, state: 'stopped' }), container: served }),
    actions: [`remove:c-${id}`],
  },
  {
    what: 'crashed while it drained: no successor',
    view: view({ lineage: stopping({ ...running, state: 'draining' }), container: exited(id, 1) }),
    actions: ['observe:stopping'],
  },
])

check('no longer assigned', [
  {
    what: 'drained like any other',
    view: view({
      lineage: { ...lineage({ template: withPorts }, running), abandoned: true },
      container: served,
    }),
    actions: ['observe:draining'],
  },
  {
    what: 'forgotten when gone',
    view: view({ lineage: { ...lineage({}, { state: 'stopped' }), abandoned: true } }),
    actions: ['forget'],
  },
  {
    what: 'not before its remains are',
    view: view({
      lineage: { ...lineage({}, { state: 'stopped' }), abandoned: true },
      remains: [exited('web-0-old', 1)],
    }),
    actions: ['discard:c-web-0-old'],
  },
])

const young = { ...running, healthySinceMs: nowMs - 1000 }
const successor = lineage({}, young, { id: next, predecessor: id })

check('remains of earlier links', [
  {
    what: 'the newest is kept for its logs',
    view: view({ lineage: successor, container: container(next), remains: [exited(id, 1)] }),
    actions: [],
    dueInMs: 9000,
  },
  {
    what: 'until the successor has proved itself',
    view: view({
      lineage: lineage({}, running, { id: next, predecessor: id }),
      container: container(next),
      remains: [exited(id, 1)],
    }),
    actions: [`discard:c-${id}`],
  },
  {
    what: 'and while it has not',
    view: view({
      lineage: lineage(
        {},
        { ...running, health: 'unhealthy', healthySinceMs: null },
        { id: next, predecessor: id },
      ),
      container: container(next),
      remains: [exited(id, 1)],
    }),
    actions: [],
  },
  {
    what: 'older ones go',
    view: view({
      lineage: successor,
      container: container(next),
      remains: [exited('web-0-older', 1), exited(id, 1)],
    }),
    actions: ['discard:c-web-0-older'],
  },
  {
    what: 'one that somebody started again goes before anything is started',
    view: view({ lineage: lineage({}, {}, { id: next, predecessor: id }), remains: [served] }),
    actions: [`discard:c-${id}`],
  },
  {
    what: 'all go when the slot is given up',
    view: view({
      lineage: { ...successor, abandoned: true },
      container: container(next),
      remains: [exited(id, 1)],
    }),
    actions: [`discard:c-${id}`, 'observe:stopping'],
  },
])

t.test('nothing is concluded while the engine does not answer', async (t) => {
  const views = [
    view(),
    view({ lineage: run }),
    view({ lineage: run, container: exited(id, 1) }),
    view({ lineage: stopping(running), container: served }),
    view({ lineage: successor, remains: [served] }),
  ]
  for (const down of views) {
    t.same(plan({ ...down, engineReady: false }, nowMs), { actions: [], dueAtMs: null })
  }
})

t.test('what is said of a crash', async (t) => {
  const crash = (ended: ReturnType<typeof container>, from = run) => {
    const [action] = plan(view({ container: ended, lineage: from }), nowMs).actions
    if (action?.kind !== 'succeed') throw new Error('no successor')
    return action
  }
  const killed = crash(exited(id, 137))
  t.match(killed.observed, {
    state: 'failed',
    health: 'unhealthy',
    reason: 'ended by SIGKILL (exit code 137)',
    exitCode: 137,
    finishedAtMs: nowMs,
    neverStarted: false,
    healthySinceMs: null,
  })
  t.match(killed.successor, { id: next, predecessor: id, attempt: 1, startAtMs: nowMs })
  t.equal(crash(exited(id, 3)).observed.reason, 'exited with code 3')
  t.equal(crash(exited(id, 0)).observed.reason, 'exited with code 0')
  t.equal(crash(exited(id, 200)).observed.reason, 'exited with code 200')
  const oom = crash(exited(id, 137, { oomKilled: true })).observed.reason
  t.equal(oom, 'out of memory: killed at its limit of 64 MiB')
  const condemned = lineage({}, stop, {
    ending: 'its liveness probe failed 3 times in a row: HTTP 500',
  })
  t.match(crash(exited(id, 137), condemned).observed.reason, /^its liveness probe failed 3 times/)
})

t.test('the delay before a successor', async (t) => {
  const after = (attempt: number, ranMs: number) => {
    const from = lineage({}, { ...running, startedAtMs: nowMs - ranMs }, { attempt })
    const [action] = plan(view({ container: exited(id, 1), lineage: from }), nowMs).actions
    if (action?.kind !== 'succeed') throw new Error('no successor')
    return [action.successor.attempt, action.successor.startAtMs - nowMs]
  }
  t.same(after(0, 1000), [1, 0], 'the first is immediate')
  t.same(after(1, 1000), [2, 1000])
  t.same(after(2, 1000), [3, 2000])
  t.same(after(3, 1000), [4, 4000])
  t.same(after(7, 1000), [8, 60_000], 'at most maxDelay')
  t.same(after(5000, 1000), [5001, 60_000])
  t.same(after(7, 600_000), [1, 0], 'a long run begins a new row')
  t.same(after(7, 599_999), [8, 60_000])
})

t.test('what could not be made is not tried again before its time', async (t) => {
  const later = { attempt: 3, startAtMs: nowMs + 2000 }
  const due = lineage(later, {}, { knownAtMs: nowMs })
  for (const imageAbsent of [true, false]) {
    const [told] = plan(view({ lineage: due, imageAbsent }), nowMs).actions
    t.match(told, {
      kind: 'observe',
      observed: { state: 'assigned', reason: /3 failures in a row/ },
    })
    if (told?.kind !== 'observe') return
    const waiting = lineage(later, told.observed, { knownAtMs: nowMs })
    t.same(plan(view({ lineage: waiting, imageAbsent }), nowMs), {
      actions: [],
      dueAtMs: nowMs + 2000,
    })
    t.not(plan(view({ lineage: waiting, imageAbsent }), nowMs + 2000).actions.length, 0)
  }
  const own = lineage(later, {}, { knownAtMs: nowMs, predecessor: 'web-0-before' })
  t.match(
    plan(view({ lineage: own }), nowMs).actions,
    [{ kind: 'create' }],
    'its own successors are made ahead',
  )
})
