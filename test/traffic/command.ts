import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { whyNotEngines } from '../engines/skip.ts'
import { runCampaign } from './campaign.ts'
import { phases } from './phases.ts'
import { drawVersions } from './pictures.ts'

/*
 * Upgrades, scales, drains and kills under load, again and again until there have been `--requests`; `--phase` chooses
 * phases by a part of their name. Pictures and figures go to `--output`. Exit code 1 when a request failed.
 */

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: '500000' },
    phase: { type: 'string', default: '' },
    output: { type: 'string' },
  },
})

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

const why = whyNotEngines()
if (why !== undefined) {
  process.stderr.write(`error: traffic: ${why}\n`)
  process.exit(2)
}
const chosen = phases.filter(({ name }) => name.includes(values.phase))
const { played, seconds } = await runCampaign({ requests: Number(values.requests), phases: chosen, say })
say('\n| what happens meanwhile | times | requests | failed | slowest, ms |\n| --- | --- | --- | --- | --- |')
let requests = 0
let failures = 0
for (const { name } of chosen) {
  const own = played.filter(({ phase }) => phase === name)
  const sum = own.reduce((total, one) => total + one.requests, 0)
  const failed = own.reduce((total, one) => total + one.failures.length, 0)
  requests += sum
  failures += failed
  say(`| ${name} | ${own.length} | ${sum} | ${failed} | ${Math.max(...own.map(({ slowestMs }) => slowestMs))} |`)
}
say(`\n${requests} requests, ${failures} failed`)
if (values.output !== undefined) {
  await mkdir(values.output, { recursive: true })
  for (const phase of chosen) {
    const first = played.find(({ phase: name }) => name === phase.name)
    const file = `${phase.name.replaceAll(/[^a-z]+/g, '-')}.svg`
    if (first) await writeFile(join(values.output, file), drawVersions(first, seconds))
  }
}
process.exitCode = failures === 0 ? 0 : 1
