import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

import { campaign } from './run/campaign.ts'
import { targets } from './run/targets.ts'
import { startWatchdog } from './run/watchdog.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    target: { type: 'string', multiple: true, default: Object.keys(targets) },
    seed: { type: 'string', default: String(randomInt(2 ** 31)) },
  },
})

const seed = Number(values.seed)
const seconds = Number(values.seconds)
if (!Number.isInteger(seed) || !(seconds > 0)) {
  throw new Error('--seed is a whole number and --seconds a number above 0')
}
using watchdog = startWatchdog()
process.stdout.write(`seed ${seed}\n`)
for (const name of values.target) {
  const open = targets[name]
  if (!open) throw new Error(`there is no target ${name}: ${Object.keys(targets).join(', ')}`)
  await using target = await open()
  const { cases, failures } = await campaign(target, {
    seconds: seconds / values.target.length,
    seed,
    watchdog,
  })
  for (const [check, count] of cases) process.stdout.write(`${name}: ${check}: ${count} cases\n`)
  for (const failure of failures) process.stdout.write(`${failure}\n`)
  if (failures.length > 0) process.exitCode = 1
}
