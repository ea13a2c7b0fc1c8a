import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

import { drawPictures, type Results } from './pictures.ts'
import { fillTables } from './tables.ts'

// How the control plane grows with the cluster: each size in a process of its own, then the pictures and tables of it.

const full = { instances: 2_000_000, nodes: 6100, agents: 5000 }
const docs = fileURLToPath(new URL('../../docs/scale', import.meta.url))
const document = `${docs}.md`
const { values } = parseArgs({
  options: {
    instances: { type: 'string', default: String(full.instances) },
    nodes: { type: 'string' },
    agents: { type: 'string', default: String(full.agents) },
    rates: { type: 'string', default: '0,500,1000,2000' },
    seconds: { type: 'string', default: '10' },
    hold: { type: 'string', default: '60' },
    only: { type: 'string' },
    output: { type: 'string' },
    draw: { type: 'boolean', default: false },
  },
})
const instances = Number(values.instances)
const agents = Number(values.agents)
const nodes = Number(values.nodes ?? Math.ceil((instances * full.nodes) / full.instances))
// What the documentation shows is only ever replaced by a run of the full size.
const isFull = instances === full.instances && agents === full.agents
const output = values.output ?? (isFull || values.draw ? docs : undefined)

/** What the launcher gives a control plane with a large state. */
function launcherFlags(): readonly string[] {
  const launcher = readFileSync(new URL('../../bulkhead', import.meta.url), 'utf8')
  const flags = / -size .*?\n.*?exec "\$node" (.*?) "\$entry"/s.exec(launcher)?.[1]
  if (flags === undefined) throw new Error('the launcher has no flags for a large state')
  return flags.split(' ')
}

function measure<T>(scenario: string, options: Readonly<Record<string, string | number>>): Promise<T> {
  const runner = fileURLToPath(new URL('run.ts', import.meta.url))
  const flags = Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)])
  const limits = launcherFlags()
  process.stderr.write(`${scenario} ${flags.join(' ')}\n`)
  const child = spawn(process.execPath, [...limits, runner, '--scenario', scenario, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.on('data', (chunk: Buffer) => {
    text += chunk.toString()
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) => {
      const line = text.trimEnd().split('\n').at(-1) ?? ''
      if (code === 0) resolve(JSON.parse(line) as T)
      else reject(new Error(`${scenario} ended with ${code}: see its output above`))
    })
  })
}

function save(results: Results): void {
  if (output === undefined) return
  mkdirSync(output, { recursive: true })
  writeFileSync(join(output, 'results.json'), `${JSON.stringify(results, null, 2)}\n`)
  for (const [name, picture] of Object.entries(drawPictures(results))) {
    writeFileSync(join(output, name), picture)
  }
  if (output === docs) writeFileSync(document, fillTables(readFileSync(document, 'utf8'), results))
}

function earlier(): Results {
  const file = join(output ?? '', 'results.json')
  const machine = `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${Math.round(totalmem() / 1024 ** 3)} GB`
  const date = new Date().toISOString().slice(0, 10)
  const kept = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : null
  // Pictures drawn anew are of the run that they show.
  return kept && values.draw ? kept : { placements: [], agents: [], ...kept, machine, date }
}

let results = earlier()
if (!values.draw && values.only !== 'agents') {
  results = { ...results, placements: [] }
  for (const part of [0.01, 0.05, 0.25, 1]) {
    const size = { instances: Math.round(instances * part), nodes: Math.ceil(nodes * part) }
    results = { ...results, placements: [...results.placements, await measure('placements', size)] }
    save(results)
  }
}
if (!values.draw && values.only !== 'placements') {
  results = { ...results, agents: [] }
  for (const part of [0.1, 0.4, 1]) {
    const count = Math.round(agents * part)
    const environments = Math.max(Math.round(count / 100), 1)
    const { rates, seconds, hold } = values
    const size = { agents: count, instances: count * 20, environments, rates, seconds, hold }
    results = { ...results, agents: [...results.agents, await measure('agents', size)] }
    save(results)
  }
}
save(results)
process.stdout.write(`${JSON.stringify(results, null, 2)}\n`)
