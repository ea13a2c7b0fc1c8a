import { parseArgs } from 'node:util'

import { run } from './run.ts'
import { generate } from './scenario/generate.ts'

const { values } = parseArgs({ options: { seed: { type: 'string' }, seconds: { type: 'string' } } })
if (values.seed !== undefined) {
  const result = await run(generate(Number(values.seed)), { keepsTimeline: true })
  process.stdout.write(`${result.lines.join('\n')}\n`)
  process.stdout.write(`${JSON.stringify({ ...result, lines: undefined })}\n`)
} else {
  const end = Date.now() + Number(values.seconds ?? 60) * 1000
  for (let seed = Number(process.env['FROM'] ?? 1); Date.now() < end; seed++) {
    const began = performance.now()
    const result = await run(generate(seed))
    const ms = Math.round(performance.now() - began)
    if (values.seed === undefined && result.violation === null && process.env['ALL'] === undefined) continue
    process.stdout.write(`${seed} ${ms}ms ${result.simulatedMs} ${result.events} ${result.violation ? `${result.violation.invariant} @${result.violation.atMs}: ${result.violation.text.slice(0, 500)}` : 'ok'}\n`)
  }
}
