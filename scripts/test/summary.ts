// Prints what was skipped and why, then the totals of the TAP files that are named as arguments. Where a test file is in
// several of them, the last one counts; what an attempt says of no file, that it took too long, counts in the last one.
// BULKHEAD_TEST_FAILED: names of checks that failed and that no TAP file tells about, by commas.
import { readFileSync } from 'node:fs'

import { type TapPoint, TapReader } from './tap-points.ts'

function readPoints(path: string): readonly TapPoint[] {
  const reader = new TapReader()
  const lines = readFileSync(path, 'utf8').split('\n')
  return [...lines.flatMap((line) => reader.read(line).points), ...reader.end()]
}

/** By test file, what its last attempt said. */
const attempts = new Map<string, readonly TapPoint[]>()
const repeated = new Set<string>()
const paths = process.argv.slice(2)
for (const path of paths) {
  const again = path.replace(/1(-\w+\.tap)$/, '2$1')
  const isLast = again === path || !paths.includes(again)
  const files = Map.groupBy(readPoints(path), ({ path: [file = ''] }) => file)
  for (const [file, last] of files) {
    if (!isLast && !file.endsWith('.test.ts')) continue
    if (attempts.has(file)) repeated.add(file)
    attempts.set(file, last)
  }
}
const points = [...attempts.values()].flat()
const count = (status: TapPoint['status']) => points.filter((p) => p.status === status).length
const checks = (process.env['BULKHEAD_TEST_FAILED'] ?? '').split(',').filter((name) => name !== '')

const lines: string[] = []
for (const { status, path, reason } of points) {
  if (status === 'skipped')
    lines.push(`skipped ${path.join(' > ')}: ${reason || 'no reason given'}`)
}
for (const file of repeated) lines.push(`second attempt: ${file}`)
for (const check of checks) lines.push(`FAILED ${check}`)
lines.push(
  `${count('passed')} passed, ${count('failed') + checks.length} failed, ${count('skipped')} skipped`,
)
process.stdout.write(`${lines.join('\n')}\n`)
