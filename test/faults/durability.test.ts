import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { t as tap, test } from 'tap'

import { durabilityCampaign } from './durability.ts'
import { loneControlPlane } from './lone-control-plane.ts'

const kills = 15
tap.setTimeout(180_000)

void test(`no acknowledged write is lost in ${kills} kills of the control plane under load`, async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-durability-'))
  const controlPlane = await loneControlPlane(directory)
  t.teardown(async () => {
    await controlPlane.kill()
    rmSync(directory, { recursive: true, force: true })
  })
  const options = { kills, clients: 4, maxLifeMs: 300, random: Math.random }
  const { acknowledged, violations } = await durabilityCampaign(controlPlane, options)
  t.strictSame(violations, [])
  t.ok(acknowledged > kills, `${acknowledged} acknowledged writes`)
})
