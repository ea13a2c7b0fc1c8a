import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

import t from 'tap'

import type { Answers } from '../support/fake-server.ts'
import { runCli } from '../support/run-cli.ts'

/** A database as the control plane's store makes one. */
function makeBackup(file: string, word: string): string {
  const db = new DatabaseSync(file)
  const applicationId = 0x42_4c_4b_48
  db.exec(`PRAGMA application_id = ${applicationId}; CREATE TABLE words (word TEXT) STRICT`)
  db.prepare('INSERT INTO words VALUES (?)').run(word)
  db.close()
  return file
}

function wordIn(file: string): unknown {
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    return db.prepare('SELECT word FROM words').get()?.['word']
  } finally {
    db.close()
  }
}

const sends = (content: Uint8Array): Answers => ({
  'POST /v1/backup': { raw: (_request, response) => response.end(content) },
})

t.test('backup saves what the control plane sends', async (t) => {
  const directory = t.testdir()
  const content = readFileSync(makeBackup(join(directory, 'source'), 'kept'))
  const file = join(directory, 'saved')
  const { stdout, exitCode } = await runCli(['backup', file], { answers: sends(content) })
  t.equal(exitCode, 0)
  t.equal(stdout, `${file}: saved, 8KiB\n`)
  t.equal(wordIn(file), 'kept')
  t.equal(statSync(file).mode & 0o777, 0o600)
  const again = await runCli(['backup', file], { answers: sends(content) })
  t.equal(again.stderr, `error: ${file}: it exists already; choose another name\n`)
  t.equal(again.exitCode, 3)
})

t.test('a file that cannot be made is named', async (t) => {
  const file = join(t.testdir(), 'x'.repeat(300))
  const { stderr, exitCode } = await runCli(['backup', file], { answers: sends(Buffer.from('x')) })
  t.equal(exitCode, 2)
  t.match(stderr, /^error: .*ENAMETOOLONG.*; choose another place\n$/)
})

t.test('a backup that is not whole is not kept', async (t) => {
  const directory = t.testdir()
  const content = readFileSync(makeBackup(join(directory, 'source'), 'kept'))
  const broken: readonly Answers[] = [
    sends(Buffer.from('<html>')),
    sends(content.subarray(0, 4096)),
    {
      'POST /v1/backup': {
        raw: (request, response) => {
          response.writeHead(200, { 'content-length': content.length })
          response.write(content.subarray(0, 4096), () => request.socket.destroy())
        },
      },
    },
  ]
  for (const answers of broken) {
    const file = join(directory, 'saved')
    const { exitCode, stderr } = await runCli(['backup', file], { answers })
    t.not(exitCode, 0)
    t.match(stderr, /^error: (backup|cannot reach)/)
    t.notOk(existsSync(file))
  }
})

t.test('restore', async (t) => {
  const directory = t.testdir()
  const backup = makeBackup(join(directory, 'backup'), 'from the backup')
  const data = join(directory, 'data')
  const state = join(data, 'store', 'bulkhead.db')

  await t.test('into a new directory', async (t) => {
    const { exitCode, stdout } = await runCli(['restore', backup, '--data', data])
    t.equal(exitCode, 0)
    t.equal(stdout, `${data}: restored from ${backup}\n`)
    t.equal(wordIn(state), 'from the backup')
    t.equal(statSync(data).mode & 0o777, 0o700)
    t.equal(statSync(state).mode & 0o777, 0o600)
  })

  await t.test('replaces nothing unless it is told to, and keeps what was there', async (t) => {
    const second = makeBackup(join(directory, 'second'), 'second')
    const refused = await runCli(['restore', second, '--data', data])
    t.match(refused.stderr, `error: ${data}: it already has a state; add --force`)
    t.equal(refused.exitCode, 3)
    const forced = await runCli(['restore', second, '--data', data, '--force'])
    t.equal(forced.exitCode, 0)
    t.equal(wordIn(state), 'second')
    t.equal(wordIn(`${state}.before-restore`), 'from the backup')
  })

  await t.test('not below a control plane that runs', async (t) => {
    const db = new DatabaseSync(state)
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; BEGIN IMMEDIATE; COMMIT')
    const { stderr, exitCode } = await runCli(['restore', backup, '--data', data, '--force'])
    db.close()
    t.equal(stderr, `error: ${data}: a control plane is running on it; stop it, then restore\n`)
    t.equal(exitCode, 3)
    t.equal(wordIn(state), 'second')
  })

  await t.test('not from just any file', async (t) => {
    const text = join(directory, 'text')
    writeFileSync(text, 'x'.repeat(5000))
    const other = join(directory, 'other')
    new DatabaseSync(other).exec('CREATE TABLE a (b)')
    mkdirSync(join(directory, 'empty'))
    for (const [file, why] of [
      [text, 'it is no database'],
      [other, 'it is not one of Bulkhead'],
      [join(directory, 'nowhere'), 'there is no such file'],
    ] as const) {
      const { stderr, exitCode } = await runCli(['restore', file, '--data', data, '--force'])
      t.equal(stderr, `error: backup ${file}: ${why}; use a file that bulkhead backup made\n`)
      t.equal(exitCode, 2)
    }
    t.equal(wordIn(state), 'second')
  })
})
