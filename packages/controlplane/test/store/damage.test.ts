import {
  closeSync,
  copyFileSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

import Database from 'better-sqlite3'
import t, { type Test } from 'tap'

import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { StoreUnusable } from '../../src/store/store.ts'
import { silent } from '../state/fixtures.ts'
import { anEvent, batch, recordsOf } from './behaviour.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const pageBytes = 4096

async function makeFile(directory: string): Promise<string> {
  const store = openSqliteStore({ directory, logger: silent })
  const changes = Array.from({ length: 500 }, (_, index) => ({
    kind: 'token' as const,
    key: `key-${index}`,
    value: { text: `value-${index} `.repeat(50) },
  }))
  await store.commit(batch(1, changes, [anEvent(1)]))
  await store.close()
  return join(directory, 'bulkhead.db')
}

/** What opening and reading everything ends with. */
async function outcome(directory: string): Promise<unknown> {
  try {
    const store = openSqliteStore({ directory, logger: silent })
    try {
      return await recordsOf(store)
    } finally {
      await store.close()
    }
  } catch (error) {
    return error
  }
}

function overwrite(file: string, at: number, bytes: Buffer): void {
  const handle = openSync(file, 'r+')
  writeSync(handle, bytes, 0, bytes.length, at)
  closeSync(handle)
}

function change(file: string, sql: string): void {
  const db = new Database(file)
  db.exec(sql)
  db.close()
}

const noise = Buffer.alloc(pageBytes, 0xa5)

const damages: Record<string, (file: string) => void> = {
  'a page of noise': (file) => overwrite(file, 40 * pageBytes, noise),
  'a page of zeros': (file) => overwrite(file, 20 * pageBytes, Buffer.alloc(pageBytes)),
  'a destroyed header': (file) => overwrite(file, 0, noise),
  'a changed letter in a value': (file) =>
    overwrite(file, readFileSync(file).indexOf('value-77 value') + 3, Buffer.from('U')),
  'half of the file': (file) => truncateSync(file, statSync(file).size / 2),
  'all but the last page': (file) => truncateSync(file, statSync(file).size - pageBytes),
  'an empty file': (file) => truncateSync(file, 0),
  'no file': (file) => rmSync(file),
  'another kind of file': (file) => writeFileSync(file, 'not a database, not at all '.repeat(99)),
  'a value that is not JSON': (file) =>
    change(file, `UPDATE records SET value = '{' WHERE key = 'key-7'`),
  'a record under another key': (file) =>
    change(file, `UPDATE records SET key = 'key-x' WHERE key = 'key-7'`),
  'an event that is not JSON': (file) => change(file, `UPDATE events SET value = '{'`),
  'no revision': (file) => change(file, 'DELETE FROM meta'),
}

for (const [name, damage] of Object.entries(damages)) {
  t.test(`found at the start: ${name}`, async (t) => {
    const directory = temporaryDirectory(t)
    const file = await makeFile(directory)
    damage(file)
    const error = await outcome(directory)
    t.ok(error instanceof StoreUnusable, String(error))
    t.match(error, { message: /bulkhead\.db is damaged: .*put a backup in the place of/ })
    t.comment((error as Error).message.replace(directory, 'DIR'))
  })
}

/** As a process that was killed leaves it: what it has committed is in the log only. */
async function killedWith(t: Test, commits: number): Promise<{ directory: string; log: string }> {
  const [origin, directory] = [temporaryDirectory(t), temporaryDirectory(t)]
  const store = openSqliteStore({ directory: origin, logger: silent })
  for (let revision = 1; revision <= commits; revision++) {
    await store.commit(batch(revision, [{ kind: 'token', key: `key-${revision}`, value: { text: 'a value' } }], [anEvent(revision)]))
  }
  for (const name of readdirSync(origin)) copyFileSync(join(origin, name), join(directory, name))
  await store.close()
  return { directory, log: join(directory, 'bulkhead.db-wal') }
}

const logDamages: Record<string, (log: string) => void> = {
  'half of the log': (log) => truncateSync(log, statSync(log).size / 2),
  'all but the last byte of the log': (log) => truncateSync(log, statSync(log).size - 1),
  'an empty log': (log) => truncateSync(log, 0),
  'no log': (log) => rmSync(log),
  'a changed byte in the log': (log) => overwrite(log, statSync(log).size - 2000, Buffer.from([0x5a])),
  'a log of noise': (log) => overwrite(log, 0, noise),
}

for (const [name, damageLog] of Object.entries(logDamages)) {
  t.test(`found at the start: ${name}`, async (t) => {
    const { directory, log } = await killedWith(t, 20)
    damageLog(log)
    const error = await outcome(directory)
    t.ok(error instanceof StoreUnusable, String(error))
    t.match(error, { message: /bulkhead\.db is damaged: .*put a backup in the place of/ })
    t.comment((error as Error).message.replaceAll(directory, 'DIR'))
  })
}

t.test('a log whose end was never acknowledged is taken as far as it goes', async (t) => {
  const { directory, log } = await killedWith(t, 20)
  t.equal(((await outcome(directory)) as unknown[]).length, 20, 'a kill damages nothing')
  const other = await killedWith(t, 20)
  writeFileSync(`${other.directory}/bulkhead.db.acknowledged`, `${'19'.padStart(19, '0')}\n`)
  truncateSync(other.log, statSync(other.log).size - 1)
  t.equal(((await outcome(other.directory)) as unknown[]).length, 19)
  t.ok(log)
})

t.test('a mark that cannot be read is none', async (t) => {
  const { directory } = await killedWith(t, 3)
  for (const text of ['', 'nonsense', '99', '9'.repeat(18)]) {
    writeFileSync(`${directory}/bulkhead.db.acknowledged`, text)
    t.equal(((await outcome(directory)) as unknown[]).length, 3)
  }
})

t.test('an undamaged file is read', async (t) => {
  const directory = temporaryDirectory(t)
  await makeFile(directory)
  t.equal(((await outcome(directory)) as unknown[]).length, 500)
})
