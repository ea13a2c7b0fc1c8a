import { copyFileSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { BulkheadError } from '@bulkhead/shared'
import t from 'tap'

import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { packError, unpackError } from '../../src/store/sqlite/thread/messages.ts'
import { StoreConflict, StoreFull, StoreUnusable } from '../../src/store/store.ts'
import { silent } from '../state/fixtures.ts'
import { anEvent, batch, recordsOf, testStore } from './behaviour.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const directories: string[] = []
t.teardown(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true })
})

const always = { threadBytes: 0 }

for (const [name, how] of Object.entries({ sqlite: {}, 'sqlite in a thread of its own': always })) {
  testStore(name, async () => {
    const directory = mkdtempSync(join(tmpdir(), 'bulkhead-store-'))
    directories.push(directory)
    const open = (): SqliteStore => openSqliteStore({ directory, logger: silent, ...how })
    return { store: open(), reopen: async () => open() }
  })
}

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  )

/** Whether this thread can do something else while the store commits. */
async function isFreeDuringCommit(store: SqliteStore, revision: number): Promise<boolean> {
  let turned = false
  setImmediate(() => {
    turned = true
  })
  await store.commit(
    batch(revision, [{ kind: 'token', key: `${revision}`, value: 'x'.repeat(5_000) }]),
  )
  return turned
}

t.test('once it is large, a thread of its own writes it', async (t) => {
  const directory = temporaryDirectory(t)
  let toldLarge = 0
  const onLarge = (): void => void toldLarge++
  const options = {
    directory,
    logger: silent,
    checkpointBytes: 50_000,
    threadBytes: 200_000,
    onLarge,
  }
  const store = openSqliteStore(options)
  const free: boolean[] = []
  for (let revision = 1; revision <= 100; revision++) {
    free.push(await isFreeDuringCommit(store, revision))
    await new Promise(setImmediate)
  }
  const first = free.indexOf(true)
  t.ok(first > 10, 'not before')
  // On a full machine the thread can be faster than a turn of this one.
  const after = free.slice(first)
  t.ok(after.filter(Boolean).length > after.length / 2, 'and from then on')
  t.equal(toldLarge, 1)
  t.throws(() => openSqliteStore(options), { code: 'conflict', message: /in use by process/ })
  await store.close()
  const again = openSqliteStore({ directory, logger: silent })
  t.equal((await again.load()).revision, 100)
  t.equal((await recordsOf(again)).length, 100)
  await again.close()
})

t.test('writes, a backup and prunings go on while it moves to its thread', async (t) => {
  const store = openSqliteStore({
    directory: temporaryDirectory(t),
    logger: silent,
    threadBytes: 100_000,
    checkpointBytes: 20_000,
  })
  const file = join(temporaryDirectory(t), 'backup.db')
  const beside: Promise<unknown>[] = []
  for (let revision = 1; revision <= 60; revision++) {
    if (revision % 5 === 0) beside.push(store.pruneEvents(10))
    if (revision === 40) beside.push(store.backup(file))
    await store.commit(
      batch(
        revision,
        [{ kind: 'token', key: `${revision}`, value: 'x'.repeat(5_000) }],
        [anEvent(revision)],
      ),
    )
    await new Promise(setImmediate)
  }
  await Promise.all(beside)
  await store.pruneEvents(10)
  t.ok(statSync(file).size > 0)
  const loaded = await store.load()
  t.equal([...loaded.records].length, 60)
  t.equal(loaded.events.length, 10)
  await store.close()
})

t.test('an error comes out of the thread as what it is', async (t) => {
  for (const error of [
    new StoreFull('a'),
    new StoreConflict('b'),
    new StoreUnusable('c'),
    new RangeError('d'),
  ]) {
    const there = unpackError(structuredClone(packError(error)))
    t.equal(there.message, error.message)
    for (const type of [StoreFull, StoreConflict, StoreUnusable])
      t.equal(there instanceof type, error instanceof type)
  }
  const conflict = unpackError(
    packError(new BulkheadError('conflict', 'it exists', 'choose another')),
  )
  t.match(conflict, { code: 'conflict', message: 'it exists', advice: 'choose another' })
  const store = openSqliteStore({ directory: temporaryDirectory(t), logger: silent, ...always })
  await store.commit(batch(1))
  const file = join(temporaryDirectory(t), 'there')
  writeFileSync(file, '')
  await t.rejects(store.backup(file), { code: 'conflict', message: /exists already/ })
  t.ok((await failureOf(store.commit(batch(1)))) instanceof StoreConflict)
  await store.commit(batch(2))
  await store.close()
})

t.test(
  'a database that cannot be opened in a thread is refused to all, and says why',
  async (t) => {
    const directory = temporaryDirectory(t)
    const warnings: unknown[] = []
    const logger = { warn: (...all: unknown[]) => void warnings.push(all) }
    const store = openSqliteStore({ directory, logger, threadBytes: 1 })
    // Between the two connections the file is lost.
    rmSync(join(directory, 'bulkhead.db'))
    writeFileSync(join(directory, 'bulkhead.db'), 'not a database '.repeat(999))
    const error = await failureOf(store.commit(batch(1)))
    t.ok(error instanceof StoreUnusable)
    t.match(error, { message: /opened again: .*is damaged/ })
    await t.rejects(store.commit(batch(1)), 'nor is it tried again')
    t.equal(warnings.length, 1)
    await store.close()
  },
)

t.test('files are for their owner alone', async (t) => {
  const directory = join(temporaryDirectory(t), 'a', 'b')
  const store = openSqliteStore({ directory, logger: silent })
  await store.commit(batch(1, [{ kind: 'token', key: 'a', value: 1 }]))
  t.equal(statSync(directory).mode & 0o777, 0o700)
  const modes = readdirSync(directory).map((name) => [
    name,
    statSync(join(directory, name)).mode & 0o777,
  ])
  t.strictSame(modes, [
    ['bulkhead.db', 0o600],
    ['bulkhead.db-wal', 0o600],
    ['bulkhead.db.acknowledged', 0o600],
    ['bulkhead.db.pid', 0o600],
  ])
  await store.close()
})

t.test('a second user is refused and told who has the data', async (t) => {
  const directory = temporaryDirectory(t)
  const store = openSqliteStore({ directory, logger: silent, pid: 4711 })
  t.throws(() => openSqliteStore({ directory, logger: silent }), {
    code: 'conflict',
    message: /in use by process 4711/,
    advice: /another directory/,
  })
  await store.commit(batch(1))
  await store.close()
  await openSqliteStore({ directory, logger: silent }).close()
})

t.test('the log is written back by its size, and made short after an exception', async (t) => {
  const directory = temporaryDirectory(t)
  const store = openSqliteStore({
    directory,
    logger: silent,
    checkpointBytes: 100_000,
    truncateBytes: 1_000_000,
  })
  const value = 'x'.repeat(3_000)
  let revision = 0
  for (let round = 0; round < 100; round++) {
    await store.commit(batch(++revision, [{ kind: 'token', key: `${round}`, value }]))
    await new Promise(setImmediate)
    t.ok(store.sizes().logBytes < 200_000)
  }
  t.ok(store.sizes().databaseBytes > 200_000, 'and what was in it is in the database')
  const many = Array.from({ length: 1000 }, (_, index) => ({
    kind: 'token' as const,
    key: `many-${index}`,
    value,
  }))
  await store.commit(batch(++revision, many))
  t.ok(store.sizes().logBytes > 3_000_000)
  await new Promise(setImmediate)
  t.ok(store.sizes().logBytes < 200_000)
  await store.close()
})

t.test('a backup is whole, checked and one file', async (t) => {
  const directory = temporaryDirectory(t)
  const store = openSqliteStore({ directory, logger: silent })
  const many = Array.from({ length: 5000 }, (_, index) => ({
    kind: 'token' as const,
    key: `many-${index}`,
    value: 'x'.repeat(2_000),
  }))
  await store.commit(batch(1, many, [anEvent(1)]))
  const file = join(temporaryDirectory(t), 'backup.db')
  let revision = 1
  const copying = store.backup(file)
  const progress = { done: false }
  void copying.finally(() => {
    progress.done = true
  })
  while (!progress.done) {
    await store.commit(batch(++revision, [{ kind: 'node', key: `${revision}`, value: 1 }]))
    await new Promise(setImmediate)
  }
  await copying
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.strictSame(readdirSync(join(file, '..')), ['backup.db'])
  await store.close()

  const restored = join(temporaryDirectory(t), 'restored')
  const opened = openSqliteStore({ directory: restored, logger: silent })
  await opened.close()
  copyFileSync(file, join(restored, 'bulkhead.db'))
  const again = openSqliteStore({ directory: restored, logger: silent })
  const loaded = await again.load()
  const records = [...loaded.records]
  t.ok(loaded.revision >= 1 && loaded.revision <= revision)
  t.equal(records.length, 5000 + loaded.revision - 1, 'of one revision')
  t.strictSame(loaded.events, [anEvent(1)])
  await again.commit(batch(loaded.revision + 1))
  await again.close()
})

t.test('a backup overwrites nothing', async (t) => {
  const directory = temporaryDirectory(t)
  const store = openSqliteStore({ directory, logger: silent })
  const file = join(directory, 'backup.db')
  writeFileSync(file, 'precious')
  await t.rejects(store.backup(file), { code: 'conflict', message: /exists already/ })
  t.equal(statSync(file).size, 8)
  await t.rejects(store.backup(join(directory, 'missing', 'backup.db')))
  t.strictSame(await recordsOf(store), [])
  await store.close()
})
