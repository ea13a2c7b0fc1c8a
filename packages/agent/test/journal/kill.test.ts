import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'
import t from 'tap'

import { Journal } from '../../src/journal/journal.ts'
import { FileStorage } from '../../src/journal/storage.ts'

const writer = new URL('writer.ts', import.meta.url).pathname

/** Runs the writer, kills it at some moment, and returns the last number that it said was in the file. */
async function runAndKill(path: string, afterLines: number): Promise<number> {
  const child = spawn(process.execPath, [writer, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  let output = ''
  child.stdout.on('data', (data: Buffer) => {
    output += data.toString()
    // In the middle of something: how far it gets from here is anybody's guess.
    if (output.split('\n').length > afterLines) child.kill('SIGKILL')
  })
  await new Promise((resolve) => child.once('close', resolve))
  return Number(output.split('\n').at(-2) ?? 0)
}

t.test('killed at any moment, it loses nothing that it said was written', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'bulkhead-journal-'))
  t.teardown(() => rm(directory, { recursive: true }))
  const path = join(directory, 'journal')
  for (const afterLines of [2, 25, 80]) {
    const acknowledged = await runAndKill(path, afterLines)
    const journal = new Journal({
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      storage: new FileStorage(path),
    })
    const counts = (await journal.load()).map(({ value }) => (value as { count: number }).count)
    await journal.close()
    t.equal(counts.length, 5)
    t.ok(Math.max(...counts) >= acknowledged, `${Math.max(...counts)} of ${acknowledged}`)
    const sorted = counts.toSorted((a, b) => a - b)
    t.ok((sorted.at(-1) ?? 0) - (sorted[0] ?? 0) < 10, 'no key is left behind')
  }
})
