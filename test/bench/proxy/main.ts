import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs, promisify } from 'node:util'

import { systemClock } from '@bulkhead/shared'

import { Haproxy } from '../../../packages/agent/src/proxy/haproxy.ts'
import { findAccount, findHaproxy } from '../../../packages/agent/src/proxy/installation.ts'
import { waitFor } from '../../engines/command.ts'
import { freePort } from '../../faults/lone-control-plane.ts'
import { median } from '../stats.ts'

// The node's proxy beside direct connections to the same instances: in turns within one run, over loopback.

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '3' }, seconds: { type: 'string', default: '4' } },
})
const runs = Number(values.runs)
const seconds = Number(values.seconds)
const run = promisify(execFile)
const directory = mkdtempSync(join(tmpdir(), 'bulkhead-bench-proxy-'))
const services = '127.93.0.0/16'
const address = '127.93.0.1'
const bodyBytes = 1024

interface Result {
  readonly perSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Answers as fast as anything can, so that what is measured is the way to it. */
function startInstance(port: number): ChildProcess {
  const file = join(directory, 'instance.cfg')
  const lines = ['global', 'nbthread 2', 'defaults', 'mode http', 'timeout client 10s', 'timeout connect 1s', 'timeout server 10s']
  lines.push('frontend instance', `bind 127.0.0.1:${port}`, `http-request return status 200 content-type text/plain string ${'x'.repeat(bodyBytes)}`)
  writeFileSync(file, `${lines.join('\n')}\n`)
  return spawn('haproxy', ['-f', file], { stdio: 'ignore' })
}

const milliseconds = (text: string): number => {
  const [, number = 'NaN', unit = ''] = /^([\d.]+)(us|ms|s)$/.exec(text) ?? []
  return Number(number) * { us: 0.001, ms: 1, s: 1000 }[unit as 'us' | 'ms' | 's']
}

async function measure(url: string, connections: number, headers: readonly string[]): Promise<Result> {
  const argv = ['-t1', `-c${connections}`, `-d${seconds}s`, '--latency', ...headers.flatMap((header) => ['-H', header]), url]
  const { stdout } = await run('wrk', argv, { timeout: (seconds + 20) * 1000 })
  const figure = (pattern: RegExp): string => pattern.exec(stdout)?.[1] ?? ''
  if (/Socket errors|Non-2xx/.test(stdout)) throw new Error(`not all was answered: ${stdout}`)
  const result = {
    perSecond: Number(figure(/Requests\/sec:\s+([\d.]+)/)),
    p50Ms: milliseconds(figure(/^\s+50%\s+(\S+)/m)),
    p99Ms: milliseconds(figure(/^\s+99%\s+(\S+)/m)),
  }
  if (Object.values(result).some(Number.isNaN)) throw new Error(`not understood: ${stdout}`)
  return result
}

const workloads = [
  { name: 'one client, keep-alive', connections: 1, headers: [] },
  { name: '32 clients, keep-alive', connections: 32, headers: [] },
  { name: '32 clients, a connection for each request', connections: 32, headers: ['Connection: close'] },
] as const

const silent = { debug() {}, info() {}, warn() {}, error() {} }
const say = (text: string): void => void process.stdout.write(`${text}\n`)

function row(name: string, way: string, results: readonly Result[]): string {
  const perSecond = results.map((result) => result.perSecond)
  const range = `${Math.round(Math.min(...perSecond))}–${Math.round(Math.max(...perSecond))}`
  const p50 = median(results.map(({ p50Ms }) => p50Ms)).toFixed(3)
  const p99 = median(results.map(({ p99Ms }) => p99Ms)).toFixed(2)
  return `| ${name} | ${way} | ${Math.round(median(perSecond))} (${range}) | ${p50} ms | ${p99} ms |`
}

/** How long it takes from a changed table until the proxy goes by it. */
async function measureChanges(proxy: Haproxy, configOf: (weight: number) => Parameters<Haproxy['apply']>[0]): Promise<string> {
  const took: number[] = []
  for (let count = 0; count < 100; count++) {
    const since = performance.now()
    await proxy.apply(configOf(1 + (count % 100)))
    took.push(performance.now() - since)
  }
  const sorted = took.toSorted((a, b) => a - b)
  return `100 changes of a table: p50 ${sorted[49]?.toFixed(1)} ms, p99 ${sorted[98]?.toFixed(1)} ms until the proxy goes by it`
}

const installation = await findHaproxy()
if (installation.version === null) throw new Error(installation.reason)
if (spawnSync('wrk', ['-v'], { timeout: 5000 }).error) throw new Error('not installed: wrk (Debian: wrk)')
const port = await freePort()
const instance = startInstance(port)
const settings = { ...installation, directory: join(directory, 'proxy'), account: await findAccount(), threads: 2 }
const proxy = new Haproxy({ clock: systemClock, logger: silent }, settings)
const awake = setInterval(() => undefined, 1000)
try {
  const name = 'bench.web.http'
  const configOf = (weight: number) => {
    const server = { name: 'web-0', address: '127.0.0.1', port, weight }
    const frontend = { name, mode: 'http' as const, address, port: 8080, isEdge: false, tls: null, routes: [], backend: name }
    const backend = { name, mode: 'http' as const, clientAddress: 'header' as const, servers: [server] }
    return { services, services6: null, frontends: [frontend], backends: [backend] }
  }
  await proxy.apply(configOf(100))
  const ways = { direct: `http://127.0.0.1:${port}/`, 'by the proxy': `http://${address}:8080/` }
  for (const url of Object.values(ways)) await waitFor(url, 10_000, async () => (await fetch(url)).ok)
  say(`${cpus().length} cores, ${cpus()[0]?.model ?? ''}; HAProxy ${installation.version}; answers of ${bodyBytes} bytes; ${runs} runs of ${seconds} s each`)
  say('| load | way | requests per second | p50 | p99 |\n| --- | --- | --- | --- | --- |')
  for (const workload of workloads) {
    const results = new Map<string, Result[]>()
    for (let round = 0; round < runs; round++) {
      for (const [way, url] of Object.entries(ways)) {
        const result = await measure(url, workload.connections, workload.headers)
        results.set(way, [...(results.get(way) ?? []), result])
      }
    }
    for (const [way, list] of results) say(row(workload.name, way, list))
  }
  say(await measureChanges(proxy, configOf))
} finally {
  await proxy.stop()
  instance.kill('SIGKILL')
  clearInterval(awake)
  rmSync(directory, { recursive: true, force: true })
}
