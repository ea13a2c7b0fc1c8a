import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { catchUp } from '../../src/core/catch-up.ts'
import { ownership } from '../../src/core/ownership.ts'
import { container, exited, lineage, nowMs, running } from '../support/views.ts'

const o = 'web-0-aaaaaaaa'
const a = successorInstanceId(o)
const b = successorInstanceId(a)

const labelled = (instance: string, predecessor: string, attempt: number) =>
  container(instance, {
    labels: {
      [ownership.instance]: instance,
      [ownership.predecessor]: predecessor,
      [ownership.attempt]: String(attempt),
    },
  })

t.test(
  'a record that is older than the containers goes on with the last link that was started',
  async (t) => {
    for (const known of [lineage(), lineage({}, running)]) {
      const after = catchUp(known, [labelled(b, a, 2)], nowMs)
      t.match(after, {
        origin: o,
        current: {
          id: b,
          predecessor: a,
          attempt: 2,
          observed: { state: 'starting', containerId: `c-${b}` },
        },
        ended: [{ id: o, observed: { state: 'failed', reason: /replaced on the spot/ } }],
      })
    }
    t.match(catchUp(lineage({}, running), [exited(o, 1), labelled(b, a, 2)], nowMs), {
      current: { id: b },
    })
  },
)

t.test('a record that is right stays', async (t) => {
  const known = lineage({}, running)
  const isSame = (...owned: Parameters<typeof catchUp>[1]) => catchUp(known, owned, nowMs) === known
  t.ok(isSame())
  t.ok(isSame(container(o)))
  t.ok(isSame(exited(o, 1)))
  t.ok(isSame(container(o), container(a, { state: 'created' })))
  t.ok(isSame(exited(o, 1), container(a, { state: 'created' })))
  t.ok(isSame(container('db-0-aaaaaaaa')))
  const failed = lineage({}, { state: 'failed' })
  t.equal(catchUp(failed, [labelled(a, o, 1)], nowMs), failed)
})
