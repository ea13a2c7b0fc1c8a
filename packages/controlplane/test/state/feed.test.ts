import t from 'tap'

import { Feed } from '../../src/state/feed.ts'
import type { Commit } from '../../src/state/view.ts'
import { aToken, silent } from './fixtures.ts'

const commit = (revision: number, changes = 1): Commit => ({
  revision,
  events: [],
  changes: Array.from({ length: changes }, (_, index) => ({
    kind: 'token',
    key: `${index}`,
    after: aToken(`${index}`),
  })),
})

const feedAt = (revision: number, maxCommits = 100, maxChanges = 1000): Feed =>
  new Feed({ revision, maxCommits, maxChanges, logger: silent })

const revisions = (commits: readonly Commit[] | 'gone'): unknown =>
  commits === 'gone' ? commits : commits.map(({ revision }) => revision)

const any = (): boolean => true

t.test('since answers from what is kept', async (t) => {
  const feed = feedAt(10)
  t.strictSame(revisions(feed.since(10)), [])
  t.equal(feed.since(9), 'gone', 'before the start')
  t.equal(feed.since(11), 'gone', 'a revision that is not ours')
  for (const revision of [11, 12, 13]) feed.publish(commit(revision))
  t.strictSame(revisions(feed.since(10)), [11, 12, 13])
  t.strictSame(revisions(feed.since(12)), [13])
  t.strictSame(revisions(feed.since(13)), [])
})

t.test('keeps a bounded number of commits', async (t) => {
  const feed = feedAt(0, 5)
  for (let revision = 1; revision <= 100; revision++) {
    feed.publish(commit(revision))
    const oldest = Math.max(revision - 5, 0)
    t.equal(feed.since(oldest).length, revision - oldest)
    if (oldest > 0) t.equal(feed.since(oldest - 1), 'gone')
  }
})

t.test('keeps a bounded number of changes, but always the newest commit', async (t) => {
  const feed = feedAt(0, 100, 10)
  feed.publish(commit(1, 4))
  feed.publish(commit(2, 4))
  t.strictSame(revisions(feed.since(0)), [1, 2])
  feed.publish(commit(3, 4))
  t.equal(feed.since(0), 'gone')
  t.strictSame(revisions(feed.since(1)), [2, 3])
  feed.publish(commit(4, 50))
  t.equal(feed.since(2), 'gone')
  t.strictSame(revisions(feed.since(3)), [4])
})

t.test('subscribers are called in order until aborted, whatever others do', async (t) => {
  const errors: unknown[] = []
  const logger = { ...silent, error: (fields: object) => errors.push(fields) }
  const feed = new Feed({ revision: 0, maxCommits: 10, maxChanges: 10, logger })
  const seen: number[] = []
  const abort = new AbortController()
  feed.subscribe(() => {
    throw new Error('a bug')
  }, new AbortController().signal)
  feed.subscribe(({ revision }) => seen.push(revision), abort.signal)
  feed.publish(commit(1))
  feed.publish(commit(2))
  abort.abort()
  feed.publish(commit(3))
  feed.subscribe(({ revision }) => seen.push(revision), abort.signal)
  feed.publish(commit(4))
  t.strictSame(seen, [1, 2])
  t.equal(errors.length, 4)
})

t.test('watch gives what was, then what comes, until aborted', async (t) => {
  const feed = feedAt(0)
  for (const revision of [1, 2, 3]) feed.publish(commit(revision))
  const abort = new AbortController()
  const seen: number[] = []
  const watching = (async () => {
    const odd = ({ revision }: Commit): boolean => revision % 2 === 1
    for await (const { revision } of feed.watch(1, odd, abort.signal)) seen.push(revision)
  })()
  await new Promise(setImmediate)
  t.strictSame(seen, [3])
  for (const revision of [4, 5]) feed.publish(commit(revision))
  await new Promise(setImmediate)
  t.strictSame(seen, [3, 5])
  abort.abort()
  await watching
  t.strictSame(seen, [3, 5])
})

t.test('a watch ends when its reader is too slow', async (t) => {
  const feed = feedAt(0, 3)
  const { signal } = new AbortController()
  const watch = feed.watch(0, any, signal)
  feed.publish(commit(1))
  t.equal((await watch.next()).value?.revision, 1)
  for (const revision of [2, 3, 4]) feed.publish(commit(revision))
  t.equal((await watch.next()).value?.revision, 2)
  for (const revision of [5, 6]) feed.publish(commit(revision))
  await t.rejects(watch.next(), { code: 'revision-gone' })
  t.equal((await watch.next()).done, true)
})

t.test('a watch from a revision that is not kept is refused', async (t) => {
  const feed = feedAt(5)
  const { signal } = new AbortController()
  await t.rejects(feed.watch(4, any, signal).next(), { code: 'revision-gone' })
  await t.rejects(feed.watch(6, any, signal).next(), { code: 'revision-gone' })
})
