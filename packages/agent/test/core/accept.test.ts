import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { acceptAssignments, joined, type Lineages } from '../../src/core/accept.ts'
import type { ContainerInfo } from '../../src/core/container.ts'
import { type Lineage, newLink, reportOf, succeed } from '../../src/core/lineage.ts'
import { ownership } from '../../src/core/ownership.ts'
import { assignment } from '../support/templates.ts'
import { container, exited, lineage, nowMs, running } from '../support/views.ts'

const o = 'web-0-aaaaaaaa'
const a = successorInstanceId(o)
const b = successorInstanceId(a)

function accept(
  lineages: Lineages,
  message: { full?: boolean; upserts?: ReturnType<typeof assignment>[]; removes?: string[] },
  owned: readonly ContainerInfo[] = [],
  farewell?: Parameters<typeof acceptAssignments>[4],
): Lineage[] {
  const { full = false, upserts = [], removes = [] } = message
  const whole = {
    kind: 'assignments',
    from: full ? null : 1,
    revision: 2,
    upserts,
    removes,
  } as const
  return [...acceptAssignments(lineages, whole, owned, nowMs, farewell).values()]
}

const map = (...all: readonly Lineage[]): Lineages => new Map(all.map((one) => [one.key, one]))

/** The lineage after its current link has failed, and the next one runs. */
function failed(before: Lineage): Lineage {
  const { current } = before
  const next = newLink(
    {
      id: successorInstanceId(current.id),
      predecessor: current.id,
      attempt: current.attempt + 1,
      startAtMs: nowMs,
    },
    nowMs,
  )
  const after = succeed(before, { ...current.observed, state: 'failed' }, next, nowMs)
  return {
    ...after,
    current: { ...after.current, observed: { ...after.current.observed, ...running } },
  }
}

t.test('a new assignment', async (t) => {
  const [made] = accept(map(), { upserts: [assignment({ attempt: 2, startAtMs: 77 })] })
  t.match(made, { key: o, origin: o, abandoned: false, ended: [] })
  t.match(made?.current, {
    id: o,
    predecessor: null,
    attempt: 2,
    startAtMs: 77,
    observed: { state: 'assigned' },
  })
})

t.test('the same again changes nothing but the assignment', async (t) => {
  const before = lineage({}, running)
  const [after] = accept(map(before), { upserts: [assignment({ desired: 'stop', cause: 'x' })] })
  t.equal(after?.current, before.current)
  t.equal(after?.assignment.cause, 'x')
})

t.test('a full set abandons what it lacks, a delta does not', async (t) => {
  const before = lineage({}, running)
  t.match(accept(map(before), { full: true }), [{ abandoned: true }])
  t.match(accept(map(before), {}), [{ abandoned: false }])
  t.match(accept(map(before), { removes: [o] }), [{ abandoned: true }])
  t.match(accept(map(before), { removes: ['other'] }), [{ abandoned: false }])
})

t.test('what was abandoned can be wanted again', async (t) => {
  const before = { ...lineage({}, running), abandoned: true }
  t.match(accept(map(before), { full: true, upserts: [assignment()] }), [{ abandoned: false }])
})

t.test('the control plane takes note of a successor', async (t) => {
  const before = failed(lineage({}, running))
  t.equal(before.current.id, a)
  const message = { upserts: [assignment({ instance: a, attempt: 1 })], removes: [o] }
  const [after, ...others] = accept(map(before), message)
  t.same(others, [])
  t.match(after, { key: o, origin: a, abandoned: false, ended: [] })
  t.equal(after?.current, before.current)
})

t.test('… which has failed meanwhile', async (t) => {
  const before = failed(failed(lineage({}, running)))
  const [after] = accept(map(before), { upserts: [assignment({ instance: a })], removes: [o] })
  t.match(after, {
    origin: a,
    current: { id: b },
    ended: [{ id: a, observed: { state: 'failed' } }],
  })
})

t.test('… long ago', async (t) => {
  let before = lineage({}, running)
  for (let link = 0; link < 300; link++) before = failed(before)
  t.equal(before.ended.length, 3, 'only the origin and the newest are kept')
  let middle = o
  for (let link = 0; link < 100; link++) middle = successorInstanceId(middle)
  const [after, ...others] = accept(map(before), {
    full: true,
    upserts: [assignment({ instance: middle })],
  })
  t.same(others, [])
  t.match(after, { origin: middle, ended: [], abandoned: false })
  t.equal(after?.current, before.current)
})

t.test('removing the origin removes its successors', async (t) => {
  t.match(accept(map(failed(lineage({}, running))), { removes: [o] }), [
    { abandoned: true, current: { id: a } },
  ])
})

t.test('another instance of the slot is a lineage of its own', async (t) => {
  const all = accept(map(lineage({}, running)), {
    upserts: [assignment({ instance: 'web-0-bbbbbbbb' })],
  })
  t.same(
    all.map(({ key }) => key),
    [o, 'web-0-bbbbbbbb'],
  )
})

t.test(
  'a replacement by the control plane of what never started may bear the successor’s id',
  async (t) => {
    const before = lineage({}, { state: 'failed', neverStarted: true })
    const all = accept(map(before), { upserts: [assignment({ instance: a })], removes: [o] })
    t.match(all, [
      { key: o, abandoned: true },
      { key: a, abandoned: false, current: { id: a } },
    ])
  },
)

t.test('containers whose record was lost', async (t) => {
  const labelled = (instance: string, attempt: number) => {
    const labels = {
      [ownership.instance]: instance,
      [ownership.attempt]: String(attempt),
      [ownership.predecessor]: o,
    }
    return container(instance, { labels })
  }
  const assigned = { full: true, upserts: [assignment()] }
  t.match(accept(map(), assigned, [container(o)]), [
    { current: { id: o, observed: { state: 'starting', containerId: `c-${o}` } } },
  ])
  t.match(accept(map(), assigned, [labelled(a, 4)]), [
    { origin: o, current: { id: a, attempt: 4, predecessor: o } },
  ])
  t.match(
    accept(map(), assigned, [exited(o, 1), labelled(a, 1)]),
    [{ current: { id: a } }],
    'the live one',
  )
  t.match(
    accept(map(), assigned, [exited(o, 1), exited(a, 1)]),
    [{ current: { id: a } }],
    'the last one',
  )
  t.match(accept(map(), assigned, [container(o), container(a, { state: 'created' })]), [
    { current: { id: o } },
  ])
  t.match(accept(map(), assigned, [container('db-0-aaaaaaaa')]), [
    { current: { observed: { state: 'assigned' } } },
  ])
})

t.test('what was called gone is not begun again', async (t) => {
  const stopped = lineage({}, { state: 'stopped' }, { id: a, predecessor: o })
  const farewell = () => reportOf(stopped, stopped.current)
  const [made] = accept(map(), { full: true, upserts: [assignment()] }, [], farewell)
  t.match(made, { key: o, origin: o, current: { id: a, predecessor: o, observed: { state: 'stopped' } } })
})

t.test('messages that wait become one', async (t) => {
  const [p, q, r] = ['web-0-p', 'web-0-q', 'web-0-r'].map((instance) => assignment({ instance }))
  if (!p || !q || !r) return
  const message = (from: number | null, upserts: ReturnType<typeof assignment>[], removes: string[]) =>
    ({ kind: 'assignments', from, revision: (from ?? 0) + 1, upserts, removes }) as const
  const full = message(null, [p, q], [])
  const stop = { ...q, desired: 'stop' } as const
  const delta = message(1, [stop, r], [p.instance])
  t.match(joined(full, delta), { from: null, revision: 2, upserts: [stop, r], removes: [] })
  t.equal(joined(delta, full), full)
  const both = joined(message(1, [p], [q.instance]), message(2, [q], [p.instance]))
  t.match(both, { from: 1, revision: 3, upserts: [q], removes: [p.instance] })
})
