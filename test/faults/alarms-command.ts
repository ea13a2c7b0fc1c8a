import { parseArgs } from 'node:util'

import { startCluster } from '../cluster/cluster.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { Random } from '../simulation/random.ts'
import { alarmCampaign, alarmSpec, type Seen } from './alarms.ts'
import { EngineLog } from './engine-log.ts'

// Trouble in which nobody is lost, for as long as one likes: nobody may be taken for lost.

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 32)) },
  },
})

const phaseMs = 30_000
const phaseCount = 4
const reason = whyNotEngines()
if (reason !== undefined) throw new Error(`faults need real engines: ${reason}`)
const zones = ['application']
await using cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }] })
using log = await EngineLog.follow(cluster.hosts.hosts)
const [image] = cluster.hosts.images.serve
await cluster.run(['apply', '-f', '-', '--wait'], alarmSpec(image))
process.stdout.write(`seed ${values.seed}\n`)
const tell = (name: string, { seconds, suspects, losses, moves }: Seen): string =>
  `${name}: ${seconds} s, ${suspects} times suspect, ${losses} times lost, ${moves} containers started or ended`
const { phases, stops, realLossMs } = await alarmCampaign(cluster, log, {
  phaseMs,
  rounds: Math.max(1, Math.round((Number(values.minutes) * 60_000) / (phaseCount * phaseMs))),
  random: new Random(Number(values.seed)),
  onPhase: (name, seen) => void process.stderr.write(`… ${tell(name, seen)}\n`),
})
for (const [name, seen] of phases) process.stdout.write(`${tell(name, seen)}\n`)
const alarms = [...phases.values()].reduce((sum, { losses, moves }) => sum + losses + moves, 0)
process.stdout.write(`${stops} stops, ${alarms} false alarms; a host that was really cut off: all elsewhere after ${Math.round(realLossMs)} ms\n`)
if (alarms > 0) process.stdout.write(`${cluster.hosts.logs(60)}\n`)
process.exitCode = alarms > 0 ? 1 : 0
