import type { ClusterEvent } from '@bulkhead/shared'
import t from 'tap'

import { StoreConflict, type Batch, type Store, type StoredRecord } from '../../src/store/store.ts'

export const anEvent = (revision: number, reason = ''): ClusterEvent => ({
  revision,
  at: '2024-01-01T00:00:00.000Z',
  kind: 'Token',
  subject: 'a',
  actor: 'admin',
  action: 'created',
  reason,
})

/** A batch from the revision before. */
export const batch = (
  revision: number,
  changes: Batch['changes'] = [],
  events: Batch['events'] = [],
): Batch => ({ expected: revision - 1, revision, changes, events })

export async function recordsOf(store: Store): Promise<StoredRecord[]> {
  const { records } = await store.load()
  return [...records].toSorted((a, b) => (`${a.kind} ${a.key}` < `${b.kind} ${b.key}` ? -1 : 1))
}

export interface StoreUnderTest {
  /** The same data, as the next process finds it after the store was closed. */
  readonly reopen: () => Promise<Store>
  readonly store: Store
}

/** What every store does. */
export function testStore(name: string, make: () => Promise<StoreUnderTest>): void {
  t.test(`${name}: is empty at first`, async (t) => {
    const { store } = await make()
    const { revision, records, events } = await store.load()
    t.equal(revision, 0)
    t.strictSame([...records], [])
    t.strictSame(events, [])
    await store.close()
  })

  t.test(`${name}: keeps what was committed`, async (t) => {
    const { store, reopen } = await make()
    const value = {
      text: 'Grüße ☃ \u0000 " \\',
      number: 1.5,
      list: [null, true],
      nested: { a: {} },
    }
    await store.commit(batch(1, [{ kind: 'token', key: 'a', value }], [anEvent(1)]))
    await store.commit(
      batch(2, [
        { kind: 'node', key: 'a', value: { name: 'a' } },
        { kind: 'token', key: 'b', value: 1 },
      ]),
    )
    const expected = [
      { kind: 'node', key: 'a', value: { name: 'a' } },
      { kind: 'token', key: 'a', value },
      { kind: 'token', key: 'b', value: 1 },
    ]
    t.strictSame(await recordsOf(store), expected)
    await store.close()
    const later = await reopen()
    t.equal((await later.load()).revision, 2)
    t.strictSame(await recordsOf(later), expected)
    t.strictSame((await later.load()).events, [anEvent(1)])
    await later.close()
  })

  t.test(`${name}: replaces and deletes`, async (t) => {
    const { store } = await make()
    await store.commit(
      batch(1, [
        { kind: 'token', key: 'a', value: 1 },
        { kind: 'token', key: 'b', value: 1 },
      ]),
    )
    await store.commit({
      expected: 1,
      revision: 5,
      changes: [
        { kind: 'token', key: 'a', value: 2 },
        { kind: 'token', key: 'b', value: null },
        { kind: 'token', key: 'never', value: null },
      ],
      events: [],
    })
    t.strictSame(await recordsOf(store), [{ kind: 'token', key: 'a', value: 2 }])
    t.equal((await store.load()).revision, 5)
    await store.close()
  })

  t.test(`${name}: refuses another writer's revision, whole`, async (t) => {
    const { store } = await make()
    await store.commit(batch(1, [{ kind: 'token', key: 'a', value: 1 }]))
    for (const expected of [0, 2]) {
      const error: unknown = await store
        .commit({
          expected,
          revision: 3,
          changes: [{ kind: 'token', key: 'a', value: 2 }],
          events: [anEvent(3)],
        })
        .catch((reason: unknown) => reason)
      t.ok(error instanceof StoreConflict)
    }
    t.strictSame(await recordsOf(store), [{ kind: 'token', key: 'a', value: 1 }])
    const { revision, events } = await store.load()
    t.equal(revision, 1)
    t.strictSame(events, [])
    await store.close()
  })

  t.test(`${name}: a batch that cannot be encoded leaves nothing`, async (t) => {
    const { store } = await make()
    const circular: { self?: unknown } = {}
    circular.self = circular
    await t.rejects(
      store.commit(
        batch(
          1,
          [
            { kind: 'token', key: 'a', value: 1 },
            { kind: 'token', key: 'b', value: circular },
          ],
          [anEvent(1)],
        ),
      ),
    )
    t.strictSame(await recordsOf(store), [])
    await store.commit(batch(1, [{ kind: 'token', key: 'c', value: 1 }]))
    t.strictSame(await recordsOf(store), [{ kind: 'token', key: 'c', value: 1 }])
    await store.close()
  })

  t.test(`${name}: drops the oldest events`, async (t) => {
    const { store } = await make()
    t.equal(await store.pruneEvents(10), 0)
    for (let revision = 1; revision <= 5; revision++) {
      const events = Array.from({ length: 500 }, (_, index) => anEvent(revision, `${index}`))
      await store.commit(batch(revision, [], events))
    }
    t.equal(await store.pruneEvents(300), 2200)
    t.equal(await store.pruneEvents(300), 0)
    const { events } = await store.load()
    t.strictSame(
      events.map(({ reason }) => reason),
      Array.from({ length: 300 }, (_, index) => `${index + 200}`),
    )
    t.equal(await store.pruneEvents(0), 300)
    await store.commit(batch(6, [], [anEvent(6)]))
    t.strictSame((await store.load()).events, [anEvent(6)])
    await store.close()
  })

  t.test(`${name}: loads the newest events, oldest first`, async (t) => {
    const { store } = await make()
    const events = Array.from({ length: 10_050 }, (_, index) => anEvent(1, `${index}`))
    await store.commit(batch(1, [], events))
    const loaded = (await store.load()).events
    t.equal(loaded.length, 10_000)
    t.equal(loaded[0]?.reason, '50')
    t.equal(loaded.at(-1)?.reason, '10049')
    await store.close()
  })

  t.test(`${name}: a commit after closing is refused`, async (t) => {
    const { store } = await make()
    await store.close()
    await store.close()
    await t.rejects(store.commit(batch(1)))
  })
}
