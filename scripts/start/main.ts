import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { loadDemoImages } from './demo-images.ts'
import { ask, exampleNode, findOrStartEngine, removeNetworks } from './engine.ts'
import { farewell, findLeftovers, type Leftovers } from './farewell.ts'
import { namesWarning, whyNoNames } from './names.ts'
import { StartProblem } from './problem.ts'
import { run, runVisibly, startProgram } from './program.ts'
import { whyUnheld } from './zones.ts'

// Starts everything on this machine, deploys the example, says what to try, and cleans up at the end.

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const directory = join(root, '.bulkhead')
const specs = join(root, 'specs/shop')
const context = join(directory, 'controlplane/admin.yaml')
const readyTimeoutMs = 30_000

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const undo: (() => Promise<void> | void)[] = []
const interrupted = new AbortController()
let ended: { readonly socket: string; readonly left: Leftovers | 'unknown' | null } | null = null

async function step<T>(what: string, work: () => Promise<T>): Promise<T> {
  interrupted.signal.throwIfAborted()
  const since = performance.now()
  const result = await work()
  say(`${what}: done in ${((performance.now() - since) / 1000).toFixed(1)} s`)
  return result
}

/** One example at a time: two would fight for the engine's names. */
function claim(): void {
  mkdirSync(directory, { recursive: true })
  const file = join(directory, 'start.pid')
  const owner = existsSync(file) ? Number(readFileSync(file, 'utf8')) : 0
  if (owner > 0 && owner !== process.pid && isStart(owner)) {
    throw new StartProblem('the example runs already', `process ${owner} started it`, `stop it there with Ctrl-C, or: kill ${owner}`)
  }
  writeFileSync(file, `${process.pid}\n`)
  undo.push(() => rmSync(file, { force: true }))
}

function isStart(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('scripts/start/main.ts')
  } catch {
    return false
  }
}

function freePort(wanted: number): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(wanted === 0 ? 0 : freePort(0)))
    server.listen(wanted, '127.0.0.1', () => {
      const address = server.address()
      const port = typeof address === 'object' && address ? address.port : wanted
      server.close(() => resolve(port))
    })
  })
}

async function until(what: string, check: () => Promise<boolean>, stillRuns: () => void): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs
  while (performance.now() < deadline) {
    interrupted.signal.throwIfAborted()
    stillRuns()
    if (await check()) return
    await delay(100)
  }
  throw new StartProblem(`waited ${readyTimeoutMs / 1000} s for ${what}`, 'it did not come true', `see the logs in ${directory}`)
}

async function startControlPlane(): Promise<string> {
  const port = await freePort(7070)
  const server = `http://127.0.0.1:${port}`
  const data = join(directory, 'controlplane')
  mkdirSync(data, { recursive: true })
  const config = join(directory, 'controlplane-config.yaml')
  // The demo images are made on this engine; there is no registry to take them from.
  const unheld = await whyUnheld()
  if (unheld !== null) {
    say(`WARNING: zones are NOT held apart on this machine: ${unheld}. The example runs all the same; a cluster of your own refuses such nodes unless its configuration says zones: { unenforced: allow }.`)
  }
  writeFileSync(config, `images: { local: allow }\n${unheld === null ? '' : 'zones: { unenforced: allow }\n'}`)
  if (existsSync(context)) writeFileSync(context, readFileSync(context, 'utf8').replace(/^server: .*$/m, `server: ${server}`))
  const argv = ['controlplane', '--data', data, '--listen', `127.0.0.1:${port}`, '--config', config]
  const program = startProgram('controlplane', argv, directory)
  undo.push(() => program.stop())
  await until('the control plane', () => isReady(server), () => program.assertRunning())
  return server
}

async function isReady(server: string): Promise<boolean> {
  try {
    const { ok } = await fetch(`${server}/readyz`, { signal: AbortSignal.timeout(1000) })
    return ok && existsSync(context)
  } catch {
    return false
  }
}

async function startAgent(server: string, socket: string): Promise<void> {
  const data = join(directory, 'agent')
  const { stdout } = await run(['token', 'create', '--node'], context)
  const argv = ['agent', '--data', data, '--server', server, '--token', stdout.trim(), '--name', exampleNode]
  argv.push('--docker', `unix://${socket}`, '--address', await bridgeAddress(socket))
  for (const zone of ['presentation', 'application', 'data']) argv.push('--zone', zone)
  const program = startProgram('agent', argv, directory)
  undo.push(async () => {
    await program.stop()
    // The proxy outlives its agent.
    const { code, stderr } = await run(['agent', '--data', data, '--leave'], context)
    if (code !== 0) throw new Error(stderr.trim())
  })
  await until('the node to be ready', async () => {
    const { code, stdout: nodes } = await run(['get', 'nodes', exampleNode, '-o', 'json'], context)
    return code === 0 && /"state": ?"ready"/.test(nodes)
  }, () => program.assertRunning())
}

/** Reached by this machine and its containers, and by nobody else. */
async function bridgeAddress(socketPath: string): Promise<string> {
  const answer = await ask(socketPath, '/networks/bridge')
  const network = JSON.parse(answer?.body ?? '{}') as { IPAM?: { Config?: { Gateway?: string; Subnet?: string }[] } }
  const [config] = network.IPAM?.Config ?? []
  return config?.Gateway ?? config?.Subnet?.replace(/\.\d+\/\d+$/, '.1') ?? '127.0.0.1'
}

async function deploy(): Promise<void> {
  // Before the first container: an interrupted or failed deployment has some, too.
  undo.push(removeServices)
  const code = await runVisibly(['apply', '-f', specs, '--wait', '--timeout', '120s'], context)
  if (code !== 0) throw new StartProblem('the example did not become healthy', `apply ended with ${code}`, `see the logs in ${directory}`)
}

/** Everything that this control plane runs, what somebody added to the example too; other people's containers stay. */
async function removeServices(): Promise<void> {
  const asked = new Set<string>()
  const deadline = performance.now() + readyTimeoutMs
  while (performance.now() < deadline) {
    const { code, stdout } = await run(['get', 'services', '-A', '-o', 'json'], context)
    const list = code === 0 ? (JSON.parse(stdout) as { items: { environment: string; name: string }[] }) : null
    if (list?.items.length === 0) return
    for (const { environment, name } of list?.items ?? []) {
      if (asked.has(`${environment}/${name}`)) continue
      const deleted = await run(['delete', 'service', name, '-e', environment], context)
      if (deleted.code === 0) asked.add(`${environment}/${name}`)
    }
    await delay(200)
  }
}

async function webUrls(): Promise<string[]> {
  const { stdout } = await run(['resolve', 'web.demo', '--port', 'http', '-o', 'json'], context)
  const { endpoints } = JSON.parse(stdout) as { endpoints: { address: string; hostPort: number }[] }
  return endpoints.map(({ address, hostPort }) => `http://${address}:${hostPort}/`)
}

function sayWhatNext(urls: readonly string[], socket: string, noNames: string): void {
  say(`
The shop is open; its addresses change with its instances, \`resolve\` below tells them:
${urls.map((url) => `  ${url}`).join('\n')}

In another terminal, in ${root}, try:
  export BULKHEAD_CONTEXT=${context}
  export DOCKER_HOST=unix://${socket}
  ./bulkhead get services -e demo
  ./bulkhead get instances -e demo -w               watch, and meanwhile kill a container:
  docker kill $(docker ps -q --filter label=bulkhead.service=demo/api | head -1)
                                                    … it is replaced in the same slot
  sed 's/shop:1/shop:2/' specs/shop/shop.yaml > /tmp/shop-2.yaml
  ./bulkhead plan -f /tmp/shop-2.yaml               what an upgrade would do
  ./bulkhead apply -f /tmp/shop-2.yaml --wait       do it, one by one
  ./bulkhead resolve web.demo                       where the shop is now
  ./bulkhead rollout history web -e demo            and ./bulkhead rollout undo web -e demo
  ./bulkhead explain web -e demo                    why it is where it is
  ./bulkhead events                                 what happened, and why
${noNames === '' ? '' : `${namesWarning(noNames)}\n`}
Ctrl-C stops it and removes what was started here; that takes some seconds.`)
}

async function verify(urls: readonly string[]): Promise<void> {
  const deadline = performance.now() + readyTimeoutMs
  const [url = ''] = urls
  while (performance.now() < deadline) {
    try {
      const response = await fetch(`${url}shop`, { signal: AbortSignal.timeout(5000) })
      const shop = (await response.json()) as Partial<Record<'api' | 'store', { instance?: string }>>
      if (response.ok && shop.api?.instance && shop.store?.instance) return
    } catch {
      // Not yet.
    }
    await delay(250)
  }
  throw new StartProblem(`the page at ${url}`, 'does not get an answer from all three tiers', `see the logs in ${directory}`)
}

/** What went wrong refers to the logs, so that then they stay. */
async function cleanUp(keepsLogs: boolean): Promise<void> {
  let failed = false
  for (const action of undo.splice(0).toReversed()) {
    try {
      await action()
    } catch (error) {
      failed = true
      process.stderr.write(`while cleaning up: ${(error as Error).message}\n`)
    }
  }
  for (const name of existsSync(directory) ? readdirSync(directory) : []) {
    if (keepsLogs && name.endsWith('.log')) continue
    rmSync(join(directory, name), { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
  if (!keepsLogs) rmSync(directory, { recursive: true, force: true })
  if (ended) say(farewell({ ...ended, directory, directoryGone: !existsSync(directory), keptLogs: keepsLogs, failed }))
}

async function main(): Promise<void> {
  claim()
  const engine = await step('engine', () => findOrStartEngine(join(directory, 'engine')))
  undo.push(async () => {
    await removeNetworks(engine.socket)
    ended = { socket: engine.socket, left: engine.startedHere ? null : await findLeftovers(engine.socket) }
    await engine.stop()
  })
  await step('demo images', () => loadDemoImages(engine.socket))
  const server = await step('control plane', startControlPlane)
  await step('agent', () => startAgent(server, engine.socket))
  await step('example', deploy)
  const urls = await webUrls()
  await step(`a page from all three tiers (${urls[0]}shop)`, () => verify(urls))
  const noNames = await whyNoNames(context)
  if (process.env['BULKHEAD_START_EXIT'] === '1') {
    if (noNames !== '') say(namesWarning(noNames))
    say(`everything${noNames === '' ? '' : ' but names'} works; removing what was started here …`)
    return
  }
  sayWhatNext(urls, engine.socket, noNames)
  await new Promise<void>((resolve) => {
    const keepAlive = setInterval(() => undefined, 60_000)
    interrupted.signal.addEventListener('abort', () => {
      clearInterval(keepAlive)
      resolve()
    })
  })
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (!interrupted.signal.aborted) say('\nstopping: the services drain, then everything that was started here is removed …')
    interrupted.abort()
  })
}

// Who reads along may end first, as a Ctrl-C ends a whole pipeline: then what was started has to go all the same.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => interrupted.abort())

let exitCode = 0
try {
  await main()
} catch (error) {
  if (!interrupted.signal.aborted) {
    exitCode = 1
    process.stderr.write(`error: ${error instanceof StartProblem ? error.message : String(error)}\n`)
  }
}
if (undo.length > 0) await cleanUp(exitCode !== 0)
process.exitCode = exitCode
