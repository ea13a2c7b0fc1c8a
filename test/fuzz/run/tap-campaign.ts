import { randomInt } from 'node:crypto'

import t from 'tap'

import { campaign } from './campaign.ts'
import type { OpenTarget } from './target.ts'
import { startWatchdog } from './watchdog.ts'

/** The same cases with each run of the tests, so that what was found once stays mended. */
const fixedSeed = 1

/** A short campaign with the fixed seed and another one with a fresh one. */
export function tapCampaign(open: OpenTarget, seconds: number): void {
  t.setTimeout(180_000)
  for (const seed of [fixedSeed, randomInt(2 ** 31)]) {
    t.test(`seed ${seed}`, async (t) => {
      using watchdog = startWatchdog()
      await using target = await open()
      const { cases, failures } = await campaign(target, { seconds, seed, watchdog })
      for (const [check, count] of cases) t.comment(`${check}: ${count} cases`)
      t.same(failures, [])
    })
  }
}
