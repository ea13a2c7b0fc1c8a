import { parseArgs } from 'node:util'

import { whyNotEngines } from '../engines/skip.ts'
import { Random } from '../simulation/random.ts'
import { chaosSpecs, faultCampaign, startChaos } from './chaos.ts'
import { whyNotClocks } from './clocks.ts'
import { EngineLog } from './engine-log.ts'

// Faults on real engines for as long as one likes: the order and the lengths come from the seed.

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '180' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
})

const reason = whyNotEngines()
if (reason !== undefined) throw new Error(`faults need real engines: ${reason}`)
const longestMs = 8000
const chaos = await startChaos()
await using cluster = chaos.cluster
if (chaos.clocks === null) process.stdout.write(`no clock is set: ${whyNotClocks()}\n`)
using log = await EngineLog.follow(cluster.hosts.hosts)
const [image] = cluster.hosts.images.serve
await cluster.run(['apply', '-f', '-', '--wait'], chaosSpecs(image))
process.stdout.write(`seed ${values.seed}\n`)
let count = 0
const campaign = await faultCampaign(chaos, log, {
  longestMs,
  faults: Number(values.faults),
  random: new Random(Number(values.seed)),
  onFault: (text) => {
    count += 1
    process.stderr.write(`… ${count} of ${values.faults}: ${text}\n`)
  },
})
for (const [name, times] of campaign.faults) process.stdout.write(`${name}: ${times}\n`)
for (const line of campaign.violations) process.stdout.write(`violation: ${line}\n`)
if (campaign.violations.length > 0) process.stdout.write(`${cluster.hosts.logs(60)}\n`)
process.stdout.write(
  `${count} faults, ${log.lives.length} containers lived, ${campaign.violations.length} violations, slowest recovery ${Math.round(campaign.slowestMs)} ms\n`,
)
process.exitCode = campaign.violations.length > 0 ? 1 : 0
