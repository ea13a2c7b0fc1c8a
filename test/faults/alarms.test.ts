import { t as tap, test } from 'tap'

import { startCluster } from '../cluster/cluster.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { Random } from '../simulation/random.ts'
import { alarmCampaign, alarmSpec } from './alarms.ts'
import { EngineLog } from './engine-log.ts'

const skip = whyNotEngines() ?? false
const timeout = 300_000
tap.setTimeout(timeout)

void test('who is there is not taken for lost, whatever holds it up', { skip, timeout }, async (t) => {
  const zones = ['application']
  await using cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }] })
  using log = await EngineLog.follow(cluster.hosts.hosts)
  const [image] = cluster.hosts.images.serve
  await cluster.run(['apply', '-f', '-', '--wait'], alarmSpec(image))
  const seed = Math.floor(Math.random() * 2 ** 32)
  t.comment(`seed ${seed}`)
  const { phases, stops, realLossMs } = await alarmCampaign(cluster, log, { phaseMs: 5000, rounds: 1, random: new Random(seed) })
  for (const [name, { suspects, losses, moves }] of phases) {
    t.equal(losses, 0, `${name}: nobody is lost`)
    t.equal(moves, 0, `${name}: no container starts or ends`)
    t.comment(`${name}: ${suspects} times suspect`)
  }
  t.ok(stops >= 2)
  t.comment(`${stops} stops; a host that was really cut off: all elsewhere after ${Math.round(realLossMs)} ms`)
  if (!t.passing()) t.comment(cluster.hosts.logs(60))
})
