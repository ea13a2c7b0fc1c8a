import type { ClusterEvent } from '@bulkhead/shared'
import t from 'tap'

import { EventRing } from '../../src/state/event-ring.ts'

const event = (revision: number): ClusterEvent => ({
  revision,
  at: '2024-01-01T00:00:00.000Z',
  kind: revision % 2 === 0 ? 'Node' : 'Service',
  subject: `s${revision % 3}`,
  actor: 'admin',
  action: 'changed',
  reason: '',
})

const ring = new EventRing(10)
for (let revision = 1; revision <= 25; revision++) ring.push(event(revision))
const found = (query: Parameters<EventRing['find']>[0]): number[] =>
  ring.find(query).map(({ revision }) => revision)

t.test('finds the newest, oldest first', async (t) => {
  t.strictSame(found({ limit: 3 }), [23, 24, 25])
  t.strictSame(found({ limit: 100 }), [16, 17, 18, 19, 20, 21, 22, 23, 24, 25])
  t.strictSame(found({ kind: 'Node', limit: 2 }), [22, 24])
  t.strictSame(found({ subject: 's0', limit: 100 }), [18, 21, 24])
  t.strictSame(found({ since: 22, limit: 100 }), [23, 24, 25])
  t.strictSame(found({ subject: 's0', kind: 'Node', since: 18, limit: 100 }), [24])
  t.strictSame(found({ limit: 0 }), [])
  t.strictSame(new EventRing(5).find({ limit: 5 }), [])
})
