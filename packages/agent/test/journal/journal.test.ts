import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'
import t from 'tap'

import { decodeJournal, encodeEntry, encodeHeader } from '../../src/journal/format.ts'
import { Journal } from '../../src/journal/journal.ts'
import { FileStorage, type JournalStorage } from '../../src/journal/storage.ts'

const logger = pino({ level: 'silent' })

async function directory(t: { teardown(run: () => Promise<void>): void }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'bulkhead-journal-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

const journalIn = (
  path: string,
  storage: JournalStorage = new FileStorage(join(path, 'journal')),
) => new Journal({ clock: systemClock, logger, storage })

const contents = async (journal: Journal) =>
  Object.fromEntries((await journal.load()).map(({ key, value }) => [key, value]))

t.test('what was put is there again', async (t) => {
  const path = await directory(t)
  const journal = journalIn(path)
  t.same(await contents(journal), {})
  journal.put('a', { x: 1 })
  journal.put('b', [1, 2])
  journal.put('a', { x: 2 }, { sync: true })
  journal.delete('b')
  await journal.close()
  t.same(await contents(journalIn(path)), { a: { x: 2 } })
  t.equal((await stat(join(path, 'journal'))).mode & 0o777, 0o600)
})

t.test('it is bounded', async (t) => {
  const path = await directory(t)
  const journal = journalIn(path)
  await journal.load()
  const text = 'x'.repeat(10_000)
  for (let round = 0; round < 300; round++) {
    journal.put(`k${round % 3}`, { round, text })
    await journal.flush()
  }
  t.ok((await stat(join(path, 'journal'))).size < 1_200_000)
  await journal.close()
  const { k0, k1, k2 } = (await contents(journalIn(path))) as Record<string, { round: number }>
  t.same([k0?.round, k1?.round, k2?.round], [297, 298, 299])
})

t.test('an end that was not written completely is dropped', async (t) => {
  const whole =
    encodeHeader() + encodeEntry({ key: 'a', value: 1 }) + encodeEntry({ key: 'b', value: 'é' })
  const headerBytes = Buffer.byteLength(encodeHeader())
  for (let length = headerBytes; length <= Buffer.byteLength(whole); length++) {
    const decoded = decodeJournal(Buffer.from(whole).subarray(0, length))
    const lines = Buffer.from(whole)
      .subarray(headerBytes, length)
      .filter((byte) => byte === 10).length
    t.match(decoded, { entries: { length: lines } }, `${length} bytes`)
  }
  const path = await directory(t)
  await writeFile(join(path, 'journal'), Buffer.from(whole).subarray(0, -3))
  const journal = journalIn(path)
  t.same(await contents(journal), { a: 1 })
  journal.put('c', 3)
  await journal.close()
  t.same(await contents(journalIn(path)), { a: 1, c: 3 }, 'and what follows is not joined to it')
})

t.test('a damaged one is set aside', async (t) => {
  const path = await directory(t)
  const file = join(path, 'journal')
  const text =
    encodeHeader() + encodeEntry({ key: 'a', value: 1 }) + encodeEntry({ key: 'b', value: 2 })
  await writeFile(file, text.replace('["a"', '["A"'))
  const journal = journalIn(path)
  t.same(await contents(journal), {})
  journal.put('c', 3)
  await journal.close()
  t.same(await contents(journalIn(path)), { c: 3 })
  const kept = (await readdir(path)).filter((name) => name.startsWith('journal.damaged-'))
  t.equal(kept.length, 1)
  t.match(await readFile(join(path, kept[0] ?? ''), 'utf8'), '["A"')
  for (const bad of [Buffer.alloc(4096), Buffer.from('something else\nentirely\n')]) {
    await writeFile(file, bad)
    t.same(await contents(journalIn(path)), {}, 'nothing good in it')
  }
  t.equal((await readdir(path)).length, 4, 'each of them is kept')
  await writeFile(file, encodeEntry({ key: 'journal', value: 99 }))
  t.same(await contents(journalIn(path)), {}, 'of another version')
})

/** A file on a disk that is full when told so; half of what is appended still fits then. */
function smallDisk(path: string): { storage: JournalStorage; fill(full: boolean): void } {
  const file = new FileStorage(join(path, 'journal'))
  let full = false
  const storage: JournalStorage = {
    read: () => file.read(),
    setAside: (suffix) => file.setAside(suffix),
    close: () => file.close(),
    async append(data, sync) {
      if (!full) return file.append(data, sync)
      await file.append(data.subarray(0, data.length / 2), sync)
      throw new Error('ENOSPC')
    },
    async replace(data) {
      if (full) throw new Error('ENOSPC')
      await file.replace(data)
    },
  }
  return { storage, fill: (isFull) => void (full = isFull) }
}

t.test('a disk that is full is waited for', async (t) => {
  const path = await directory(t)
  const disk = smallDisk(path)
  const journal = journalIn(path, disk.storage)
  await journal.load()
  journal.put('a', 1)
  await journal.flush()
  disk.fill(true)
  journal.put('a', 2)
  journal.put('b', 2)
  await journal.flush()
  await journal.flush()
  disk.fill(false)
  await journal.close()
  t.same(await contents(journalIn(path)), { a: 2, b: 2 })
})

t.test('a full disk does not keep an agent from beginning', async (t) => {
  const path = await directory(t)
  const before = journalIn(path)
  await before.load()
  before.put('a', 1)
  await before.close()
  const disk = smallDisk(path)
  disk.fill(true)
  const journal = journalIn(path, disk.storage)
  t.same(await contents(journal), { a: 1 })
  journal.put('b', 2)
  await journal.flush()
  disk.fill(false)
  await journal.close()
  t.same(await contents(journalIn(path)), { a: 1, b: 2 })
})

t.test('what could be written of a line is never followed by another one', async (t) => {
  const path = await directory(t)
  const disk = smallDisk(path)
  const journal = journalIn(path, disk.storage)
  await journal.load()
  disk.fill(true)
  journal.put('a', 1)
  await journal.flush()
  disk.fill(false)
  // Killed as soon as there is room: what it appends then is the last that it writes.
  disk.storage.replace = () => new Promise(() => {})
  journal.put('b', 2)
  void journal.flush()
  await new Promise((resolve) => setTimeout(resolve, 20))
  t.not(decodeJournal(await readFile(join(path, 'journal'))).kind, 'damaged')
})
