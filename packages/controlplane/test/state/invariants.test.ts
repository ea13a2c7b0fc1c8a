import type { Instance } from '@bulkhead/shared'
import t from 'tap'

import { anInstance, aRevision } from './fixtures.ts'
import { admin, openForTest } from './open-for-test.ts'

const placed = anInstance('i', { node: 'n1', state: 'running' })
const lost = anInstance('i', { node: 'n1', lostAtMs: 5 })

const refused: readonly [string, Instance, Instance, RegExp][] = [
  ['another node', placed, { ...placed, node: 'n2' }, /node never changes/],
  ['no node any more', placed, { ...placed, node: null }, /n1 → none/],
  ['another service', placed, { ...placed, service: 'prod/api' }, /service never changes/],
  ['another slot', placed, { ...placed, slot: 1 }, /slot never changes/],
  ['another revision', placed, { ...placed, revision: 2 }, /revision never changes/],
  ['another creation', placed, { ...placed, createdAtMs: 9 }, /createdAtMs never changes/],
  ['found again', lost, { ...lost, lostAtMs: null }, /stays given up/],
  [
    'backwards',
    placed,
    anInstance('i', { node: 'n1', state: 'created' }),
    /from running to created/,
  ],
  [
    'out of an end',
    anInstance('i', { node: 'n1', state: 'stopped' }),
    anInstance('i', { node: 'n1', state: 'failed' }),
    /from stopped to failed/,
  ],
]

for (const [name, before, after, message] of refused) {
  t.test(`an instance may not change: ${name}`, async (t) => {
    const { state } = await openForTest()
    await state.write(admin, (tx) => tx.putInstance(before))
    await t.rejects(
      state.write(admin, (tx) => tx.putInstance(after)),
      message,
    )
    t.strictSame(state.view.instances.get('i'), before)
  })
}

t.test('what an instance may do', async (t) => {
  const { state } = await openForTest()
  const steps = [
    anInstance('i'),
    anInstance('i', { node: 'n1' }),
    anInstance('i', { node: 'n1', state: 'running' }),
    anInstance('i', { node: 'n1', state: 'running', desired: 'stop', cause: 'scaled down' }),
    anInstance('i', { node: 'n1', state: 'stopped', desired: 'stop' }),
    anInstance('i', { node: 'n1', state: 'stopped', desired: 'stop', cause: 'told again' }),
  ]
  for (const step of steps) await state.write(admin, (tx) => tx.putInstance(step))
  t.equal(state.view.revision, 1 + steps.length)
})

t.test('a revision keeps its content', async (t) => {
  const { state } = await openForTest()
  const revision = aRevision('prod/web', 1)
  await state.write(admin, (tx) => tx.putRevision(revision))
  await state.write(admin, (tx) => tx.putRevision({ ...revision }))
  await t.rejects(
    state.write(admin, (tx) => tx.putRevision({ ...revision, specHash: 'other' })),
    /Revision 1 of prod\/web is immutable/,
  )
})
