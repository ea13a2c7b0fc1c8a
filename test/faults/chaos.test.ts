import { t as tap, test } from 'tap'

import { startCluster } from '../cluster/cluster.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { Random } from '../simulation/random.ts'
import { chaosSpecs, faultCampaign } from './chaos.ts'
import { EngineLog } from './engine-log.ts'

const skip = whyNotEngines() ?? false
const timeout = 580_000
tap.setTimeout(timeout)
const kinds = 11

void test('every kind of fault once: no rule is broken, and everything comes back', { skip, timeout }, async (t) => {
  const zones = ['application']
  await using cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }] })
  using log = await EngineLog.follow(cluster.hosts.hosts)
  const [image] = cluster.hosts.images.serve
  await cluster.run(['apply', '-f', '-', '--wait'], chaosSpecs(image))
  const seed = Math.floor(Math.random() * 2 ** 32)
  t.comment(`seed ${seed}`)
  const onFault = (text: string): void => t.comment(text)
  const campaign = await faultCampaign(cluster, log, { faults: kinds, random: new Random(seed), onFault })
  t.strictSame(campaign.violations, [])
  t.equal(campaign.faults.size, kinds)
  t.comment(`${log.lives.length} containers lived; slowest recovery ${Math.round(campaign.slowestMs)} ms`)
  if (campaign.violations.length > 0) t.comment(cluster.hosts.logs(30))
})
