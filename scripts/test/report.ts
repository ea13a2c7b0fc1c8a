// Reads TAP on standard input and prints one line per test file, and every failure in full.
import { createInterface } from 'node:readline'

import { type TapPoint, TapReader } from './tap-points.ts'

const reader = new TapReader()
let counts = { passed: 0, failed: 0, skipped: 0 }

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

function take(points: readonly TapPoint[]): void {
  for (const point of points) {
    counts[point.status] += 1
    if (point.status !== 'failed') continue
    print(`FAILED ${point.path.join(' > ')}`)
    for (const line of point.diagnostics) print(`  ${line}`)
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const { points, endedFile } = reader.read(line)
  take(points)
  if (endedFile === undefined) continue
  const failed = endedFile.ok ? '' : `, ${Math.max(counts.failed, 1)} failed`
  const skipped = counts.skipped === 0 ? '' : `, ${counts.skipped} skipped`
  const took = (endedFile.tookMs / 1000).toFixed(1)
  print(
    `${endedFile.ok ? 'ok    ' : 'FAILED'} ${endedFile.name}: ${counts.passed} passed${failed}${skipped}` +
      ` (${took} s)`,
  )
  counts = { passed: 0, failed: 0, skipped: 0 }
}
take(reader.end())
