import t from 'tap'

import { whyNotEngines } from '../engines/skip.ts'
import { runCampaign } from './campaign.ts'

const skip = whyNotEngines() ?? false
const timeout = 400_000
t.setTimeout(timeout)

void t.test('upgrades, scaling, drains and kills under load fail no request', { skip, timeout }, async (t) => {
  const { played } = await runCampaign({ requests: 1, say: (line) => t.comment(line) })
  for (const { phase, requests, failures } of played) {
    t.ok(requests > 1000, `${phase}: ${requests} requests mean something`)
    t.same(failures, [], phase)
  }
})
