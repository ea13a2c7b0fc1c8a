import { parseArgs } from 'node:util'

import { whyNotEngines } from '../engines/skip.ts'
import { measurePropagation } from './propagation.ts'

/* How long a change of health takes to DNS and to the proxy of every one of three nodes. */

const { values } = parseArgs({ options: { changes: { type: 'string', default: '50' } } })
const why = whyNotEngines()
if (why !== undefined) {
  process.stderr.write(`error: propagation: ${why}\n`)
  process.exit(2)
}

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN

const delays = await measurePropagation(Number(values.changes), say)
say('\n| | changes seen | p50, ms | p99, ms | longest, ms |\n| --- | --- | --- | --- | --- |')
for (const by of ['dns', 'proxy'] as const) {
  for (const change of ['gone', 'back'] as const) {
    const sorted = delays
      .filter((one) => one.by === by && one.change === change)
      .map(({ ms }) => ms)
      .toSorted((a, b) => a - b)
    const [p50, p99] = [quantile(sorted, 0.5), quantile(sorted, 0.99)]
    say(`| ${by}, an instance is ${change} | ${sorted.length} | ${p50} | ${p99} | ${sorted.at(-1)} |`)
  }
}
