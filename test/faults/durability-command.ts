import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { durabilityCampaign } from './durability.ts'
import { loneControlPlane } from './lone-control-plane.ts'

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '300' },
    clients: { type: 'string', default: '6' },
    life: { type: 'string', default: '400' },
  },
})

const directory = mkdtempSync(join(tmpdir(), 'bulkhead-durability-'))
const controlPlane = await loneControlPlane(directory)
try {
  const result = await durabilityCampaign(controlPlane, {
    kills: Number(values.kills),
    clients: Number(values.clients),
    maxLifeMs: Number(values.life),
    random: Math.random,
    onKill: (done) => done % 25 === 0 && process.stderr.write(`… ${done} kills\n`),
  })
  for (const line of result.violations) process.stdout.write(`violation: ${line}\n`)
  const { kills, acknowledged, violations, slowestStartMs } = result
  process.stdout.write(
    `${kills} kills, ${acknowledged} acknowledged writes, ${violations.length} violations, slowest start ${Math.round(slowestStartMs)} ms\n`,
  )
  process.exitCode = violations.length > 0 ? 1 : 0
} finally {
  await controlPlane.kill()
  rmSync(directory, { recursive: true, force: true })
}
