import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { countUnmanaged, leftoversOf, reportsOfUnclaimed } from '../../src/core/claims.ts'
import { ownership, ownLabels } from '../../src/core/ownership.ts'
import { container, lineage, running } from '../support/views.ts'

const identity = { cluster: 'c', node: 'n' }
const id = 'web-0-aaaaaaaa'
const known = new Map([
  [id, lineage({}, running, { id: successorInstanceId(id), predecessor: id })],
])

t.test('leftovers are what no lineage accounts for', async (t) => {
  const next = successorInstanceId(id)
  const owned = [id, next, successorInstanceId(next), 'db-0-bbbbbbbb'].map((one) => container(one))
  t.same(
    leftoversOf(owned, known).map(({ name }) => name),
    ['bulkhead-db-0-bbbbbbbb'],
  )
})

t.test('unmanaged is what bears another cluster, another node, or nothing', async (t) => {
  const labels = ownLabels(identity)
  const all = [
    labels,
    {},
    { ...labels, [ownership.node]: 'm' },
    { ...labels, [ownership.cluster]: 'd' },
  ]
  t.equal(
    countUnmanaged(
      all.map((one) => ({ labels: one })),
      identity,
    ),
    3,
  )
})

t.test('containers tell of themselves when the record of them is lost', async (t) => {
  const labels = {
    [ownership.instance]: 'db-0-bbbbbbbb',
    [ownership.service]: 'default/db',
    [ownership.slot]: '0',
    [ownership.revision]: '7',
    [ownership.origin]: 'db-0-cccccccc',
    [ownership.predecessor]: 'db-0-cccccccc',
    [ownership.attempt]: '2',
    [ownership.startAt]: '5',
    [ownership.ports]: '{"pg":25001}',
  }
  t.match(reportsOfUnclaimed([container('db-0-bbbbbbbb', { labels })], known), [
    {
      instance: 'db-0-bbbbbbbb',
      service: 'default/db',
      slot: 0,
      revision: 7,
      origin: 'db-0-cccccccc',
      predecessor: 'db-0-cccccccc',
      attempt: 2,
      startAtMs: 5,
      hostPorts: { pg: 25001 },
      observed: { state: 'running', health: 'unknown' },
    },
  ])
  const damaged = [
    { ...labels, [ownership.slot]: 'x' },
    { ...labels, [ownership.service]: '' },
  ]
  t.same(
    reportsOfUnclaimed(
      damaged.map((one) => container('x', { labels: one })),
      known,
    ),
    [],
  )
  const noPorts = { ...labels, [ownership.ports]: '[' }
  t.match(reportsOfUnclaimed([container('x', { labels: noPorts })], known), [{ hostPorts: {} }])
  t.same(reportsOfUnclaimed([container(id)], known), [], 'known ones are reported by their lineage')
  t.same(reportsOfUnclaimed([container('x', { labels, state: 'exited' })], known), [])
})
