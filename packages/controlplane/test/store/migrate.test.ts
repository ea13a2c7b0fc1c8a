import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import t from 'tap'

import { migrations } from '../../src/store/sqlite/migrations.ts'
import { openSqliteStore, type SqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { StoreUnusable } from '../../src/store/store.ts'
import { silent } from '../state/fixtures.ts'
import { batch, recordsOf } from './behaviour.ts'
import { temporaryDirectory } from './temporary-directory.ts'

/** A file as the first version of the schema made it. */
function makeOldFile(directory: string): string {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'bulkhead.db')
  const db = new Database(file)
  db.exec(readFileSync(join(import.meta.dirname, 'fixtures', 'schema-1.sql'), 'utf8'))
  db.close()
  return file
}

const next = {
  version: migrations.length + 1,
  sql: `ALTER TABLE records ADD COLUMN note TEXT NOT NULL DEFAULT 'none'`,
}

const versionOf = (file: string): unknown => {
  const db = new Database(file)
  const version = db.pragma('user_version', { simple: true })
  db.close()
  return version
}

t.test('a file of schema 1 is read and brought up to date', async (t) => {
  const directory = temporaryDirectory(t)
  const file = makeOldFile(directory)
  const store = openSqliteStore({ directory, logger: silent })
  t.equal((await store.load()).revision, 3)
  t.strictSame(await recordsOf(store), [
    { kind: 'meta', key: 'cluster', value: { id: 'old' } },
    { kind: 'zones', key: 'zones', value: { zones: { data: { edge: false, reaches: [] } } } },
  ])
  t.equal((await store.load()).events.length, 1)
  await store.commit(batch(4, [{ kind: 'meta', key: 'more', value: 1 }]))
  await store.close()
  t.equal(versionOf(file), migrations.at(-1)?.version)
})

t.test('each migration is a transaction of its own', async (t) => {
  const directory = temporaryDirectory(t)
  const file = makeOldFile(directory)
  const broken = { version: next.version + 1, sql: 'CREATE TABLE half (a); CREATE TABLE half (a)' }
  const open = (steps: typeof migrations): SqliteStore =>
    openSqliteStore({ directory, logger: silent, migrations: steps })
  t.throws(() => open([...migrations, next, broken]), /half already exists/)
  t.equal(versionOf(file), next.version, 'the good one was kept, nothing of the broken one was')
  const store = open([
    ...migrations,
    next,
    { version: broken.version, sql: 'CREATE TABLE half (a)' },
  ])
  t.equal((await recordsOf(store)).length, 2)
  await store.close()
})

t.test('a file of a newer version is refused and left alone', async (t) => {
  const directory = temporaryDirectory(t)
  await openSqliteStore({ directory, logger: silent, migrations: [...migrations, next] }).close()
  t.throws(() => openSqliteStore({ directory, logger: silent }), {
    message: /newer version .* start the newer version, or restore a backup/,
  })
  try {
    openSqliteStore({ directory, logger: silent })
  } catch (error) {
    t.ok(error instanceof StoreUnusable)
  }
  t.equal(versionOf(join(directory, 'bulkhead.db')), next.version)
})

t.test("somebody else's database is refused", async (t) => {
  for (const version of [0, 1]) {
    const directory = temporaryDirectory(t)
    const db = new Database(join(directory, 'bulkhead.db'))
    db.exec('CREATE TABLE theirs (a)')
    db.pragma(`user_version = ${version}`)
    db.close()
    t.throws(() => openSqliteStore({ directory, logger: silent }), {
      message: /not one of Bulkhead/,
    })
    rmSync(directory, { recursive: true })
  }
})
