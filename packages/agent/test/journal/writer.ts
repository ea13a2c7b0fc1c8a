/** Puts numbers under a few keys as fast as it can, and says of each, on stdout, when it is in the file. */
import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'

import { Journal } from '../../src/journal/journal.ts'
import { FileStorage } from '../../src/journal/storage.ts'

const [, , path = ''] = process.argv
const journal = new Journal({
  clock: systemClock,
  logger: pino({ level: 'silent' }),
  storage: new FileStorage(path),
})
const entries = await journal.load()
let count = Math.max(0, ...entries.map(({ value }) => (value as { count: number }).count))
const text = 'x'.repeat(2000)
for (;;) {
  for (let batch = 0; batch < 20; batch++) {
    count += 1
    journal.put(`k${count % 5}`, { count, text }, { sync: count % 40 === 0 })
  }
  await journal.flush()
  process.stdout.write(`${count}\n`)
}
