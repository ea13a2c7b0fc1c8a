import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

import { waitFor } from '../../engines/command.ts'
import { freePort } from '../../faults/lone-control-plane.ts'
import { median } from '../stats.ts'
import { addressOf, domainOf, tables } from './names.ts'

// An agent's name server beside dnsmasq: same machine, same names, in turns within one run. Loopback only.

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' } },
})
const runs = Number(values.runs)
const seconds = Number(values.seconds)
/** Both limits keep dnsperf from asking for longer or more at once. */
const clients = 8
const outstanding = 64
const run = promisify(execFile)
const directory = mkdtempSync(join(tmpdir(), 'bulkhead-bench-dns-'))
const children: ChildProcess[] = []

interface Contender {
  readonly name: string
  readonly port: number
}

interface Result {
  readonly perSecond: number
  readonly latencyMs: number
  readonly lost: number
}

async function startBulkhead(): Promise<Contender> {
  const child = spawn(process.execPath, [fileURLToPath(new URL('server.ts', import.meta.url))])
  children.push(child)
  child.stderr.pipe(process.stderr)
  const [first] = (await once(child.stdout, 'data')) as [Buffer]
  return { name: 'Bulkhead', port: Number(first.toString()) }
}

/** It has everything in its configuration, and asks nobody. */
async function startDnsmasq(): Promise<Contender> {
  const port = await freePort()
  const lines = tables.flatMap(({ service, endpoints, addressIndex }) => [
    `host-record=${domainOf(service)},${addressOf(addressIndex ?? 0)}`,
    ...endpoints.flatMap(({ instance, hostPort, address }) => [
      `host-record=${instance}.${domainOf(service)},${address}`,
      `srv-host=_http._tcp.${domainOf(service)},${instance}.${domainOf(service)},${hostPort}`,
    ]),
  ])
  const file = join(directory, 'dnsmasq.conf')
  const base = [
    'no-resolv',
    'no-hosts',
    'bind-interfaces',
    'listen-address=127.0.0.1',
    `port=${port}`,
    'user=root',
  ]
  writeFileSync(file, `${[...base, ...lines].join('\n')}\n`)
  const child = spawn('dnsmasq', ['--keep-in-foreground', `--conf-file=${file}`], {
    stdio: 'inherit',
  })
  children.push(child)
  return { name: 'dnsmasq', port }
}

/** Waits until it answers, and holds its answer against what it should be. */
async function check({ name, port }: Contender): Promise<void> {
  const [first] = tables
  const dig = [
    '@127.0.0.1',
    '-p',
    String(port),
    '+short',
    '+time=1',
    '+tries=1',
    domainOf(first?.service ?? ''),
  ]
  await waitFor(`${name} to answer`, 10_000, async () => {
    const { stdout } = await run('dig', dig).catch(() => ({ stdout: '' }))
    return stdout === `${addressOf(1)}\n`
  })
}

async function measure(
  { port }: Contender,
  transport: 'udp' | 'tcp',
  questions: string,
): Promise<Result> {
  const argv = ['-m', transport, '-s', '127.0.0.1', '-p', String(port), '-d', questions, '-e']
  const { stdout } = await run('dnsperf', [
    ...argv,
    '-l',
    String(seconds),
    '-c',
    String(clients),
    '-q',
    String(outstanding),
  ])
  const figure = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? Number.NaN)
  const result = {
    perSecond: figure(/Queries per second:\s+([\d.]+)/),
    latencyMs: figure(/Average Latency \(s\):\s+([\d.]+)/) * 1000,
    lost: figure(/Queries lost:\s+(\d+)/),
  }
  if (!(result.perSecond > 0) || !/NOERROR \d+ \(100\.00%\)/.test(stdout))
    throw new Error(`not all was answered: ${stdout}`)
  return result
}

const workloads = {
  'addresses (A) over UDP': { transport: 'udp', question: (domain: string) => `${domain} A` },
  'services (SRV) over UDP': {
    transport: 'udp',
    question: (domain: string) => `_http._tcp.${domain} SRV`,
  },
  'addresses (A) over TCP': { transport: 'tcp', question: (domain: string) => `${domain} A` },
} as const

try {
  const missing = ['dnsperf', 'dnsmasq', 'dig'].filter(
    // To dnsmasq `-h` means something else, and it would begin to serve.
    (program) => spawnSync(program, [program === 'dnsmasq' ? '--version' : '-h'], { timeout: 5000 }).error,
  )
  if (missing.length > 0)
    throw new Error(
      `not installed: ${missing.join(', ')} (Debian: dnsperf, dnsmasq-base, dnsutils)`,
    )
  const contenders = [await startBulkhead(), await startDnsmasq()]
  for (const contender of contenders) await check(contender)
  process.stdout.write(
    `${cpus().length} cores, ${cpus()[0]?.model ?? ''}; ${runs} runs of ${seconds} s each\n`,
  )
  for (const [name, { transport, question }] of Object.entries(workloads)) {
    const questions = join(directory, 'questions')
    writeFileSync(
      questions,
      `${tables.map(({ service }) => question(domainOf(service))).join('\n')}\n`,
    )
    const results = new Map<string, Result[]>()
    for (let round = 0; round < runs; round++) {
      for (const contender of contenders) {
        const list = results.get(contender.name) ?? []
        results.set(contender.name, [...list, await measure(contender, transport, questions)])
      }
    }
    for (const [contender, list] of results) {
      const perSecond = list.map((result) => result.perSecond)
      const range = `${Math.round(Math.min(...perSecond))}–${Math.round(Math.max(...perSecond))}`
      const latency = median(list.map((result) => result.latencyMs)).toFixed(2)
      const lost = list.reduce((sum, result) => sum + result.lost, 0)
      process.stdout.write(
        `${name}: ${contender}: ${Math.round(median(perSecond))} (${range}) per second, ${latency} ms on average, ${lost} lost\n`,
      )
    }
  }
} finally {
  for (const child of children) child.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
}
