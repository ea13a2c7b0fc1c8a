import { t as tap, test } from 'tap'

import { whyNotEngines } from '../engines/skip.ts'
import { Random } from '../simulation/random.ts'
import { chaosSpecs, faultCampaign, faultNames, startChaos } from './chaos.ts'
import { whyNotClocks } from './clocks.ts'
import { EngineLog } from './engine-log.ts'

const skip = whyNotEngines() ?? false
const timeout = 580_000
tap.setTimeout(timeout)
const longestMs = 4000

void test('every kind of fault once: no rule is broken, and everything comes back', { skip, timeout }, async (t) => {
  const chaos = await startChaos()
  await using cluster = chaos.cluster
  using log = await EngineLog.follow(cluster.hosts.hosts)
  const [image] = cluster.hosts.images.serve
  await cluster.run(['apply', '-f', '-', '--wait'], chaosSpecs(image))
  const seed = Math.floor(Math.random() * 2 ** 32)
  t.comment(`seed ${seed}`)
  const onFault = (text: string): void => t.comment(text)
  const kinds = faultNames(chaos.clocks !== null).length
  if (chaos.clocks === null) t.comment(`no clock is set: ${whyNotClocks()}`)
  const campaign = await faultCampaign(chaos, log, { faults: kinds, longestMs, random: new Random(seed), onFault })
  t.strictSame(campaign.violations, [])
  t.equal(campaign.faults.size, kinds)
  t.comment(`${log.lives.length} containers lived; slowest recovery ${Math.round(campaign.slowestMs)} ms`)
  if (campaign.violations.length > 0) t.comment(cluster.hosts.logs(30))
})
