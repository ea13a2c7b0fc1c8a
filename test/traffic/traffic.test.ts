import t from 'tap'

import { whyNotEngines } from '../engines/skip.ts'
import { runCampaign } from './campaign.ts'
import { phases } from './phases.ts'

const skip = whyNotEngines() ?? false
const timeout = 400_000
t.setTimeout(timeout)

/** The others are played by `npm run traffic`. */
const played = new Set([
  'rolling upgrade',
  'blue-green upgrade',
  'scale down and up',
  'rolling upgrade, control plane killed half-way',
  'rolling upgrade, the agent of the clients killed half-way',
])

void t.test('upgrades, scaling, drains and kills under load fail no request', { skip, timeout }, async (t) => {
  const chosen = phases.filter(({ name }) => played.has(name))
  t.equal(chosen.length, played.size)
  const say = (line: string): void => t.comment(line)
  const campaign = await runCampaign({ requests: 1, phases: chosen, say })
  for (const { phase, requests, failures } of campaign.played) {
    t.ok(requests > 1000, `${phase}: ${requests} requests mean something`)
    t.same(failures, [], phase)
  }
})
