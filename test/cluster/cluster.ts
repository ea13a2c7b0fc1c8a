import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import type { InstanceView, ListView, NodeView, ServiceView } from '@bulkhead/shared'

import { waitFor } from '../engines/command.ts'
import type { Host } from '../engines/host.ts'
import { createHosts, type Hosts } from '../engines/hosts.ts'
import type { HostProcess } from '../engines/host-process.ts'
import { mountSmallDisk, type SmallDisk } from '../engines/small-disk.ts'

const launcher = fileURLToPath(new URL('../../bulkhead', import.meta.url))
const port = 7070

export interface CommandResult {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** What an agent is started with, beyond its name. */
export interface AgentSettings {
  readonly zones: readonly string[]
  readonly physicalHost?: string
  readonly labels?: Readonly<Record<string, string>>
  /** Where it publishes ports, unless that is the host's address of IPv4. */
  readonly address?: (host: Host) => string
}

/** A control plane outside the hosts and an agent in each host: the built program, as operators run it. */
export interface Cluster extends AsyncDisposable {
  readonly hosts: Hosts
  /** The context file of the administrator. */
  readonly context: string
  api<T>(path: string, method?: string, body?: unknown): Promise<T>
  /** Runs the command line with the administrator's context. */
  cli(argv: readonly string[], input?: string): Promise<CommandResult>
  /** Like `cli`; throws with what it printed unless it exits with 0. */
  run(argv: readonly string[], input?: string): Promise<string>
  instances(query?: string): Promise<readonly InstanceView[]>
  service(environment: string, name: string): Promise<ServiceView>
  nodes(): Promise<readonly NodeView[]>
  startControlPlane(): Promise<void>
  controlPlane(): HostProcess
  startAgent(number: number): Promise<void>
  agent(number: number): HostProcess
  /** The disk of the control plane, if it has one of its own. */
  disk(): SmallDisk
}

export interface ClusterOptions {
  /** One entry per host. */
  readonly agents: readonly AgentSettings[]
  /** More of the control plane's configuration, as YAML. */
  readonly config?: string
  /** More arguments for every dockerd, such as --live-restore. */
  readonly engineArguments?: readonly string[]
  /** Gives the control plane a disk of its own, of that size. */
  readonly diskMiB?: number
  /** What the process of that name (controlplane, host1 …) finds in its environment. */
  readonly environment?: (directory: string, name: string) => Readonly<Record<string, string>>
}

interface Parts {
  readonly hosts: Hosts
  readonly data: string
  readonly config: string
  readonly url: string
  controlPlane: HostProcess | null
  disk: SmallDisk | null
  readonly agents: Map<number, HostProcess>
  readonly environment: (name: string) => Readonly<Record<string, string>>
}

function runLauncher(parts: Parts, argv: readonly string[], input = ''): Promise<CommandResult> {
  const child = spawn(launcher, argv, {
    env: { ...process.env, BULKHEAD_CONTEXT: join(parts.data, 'admin.yaml'), NO_COLOR: '1' },
    timeout: 300_000,
    killSignal: 'SIGKILL',
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => (stdout += String(data)))
  child.stderr.on('data', (data) => (stderr += String(data)))
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }))
  })
}

async function runOrThrow(parts: Parts, argv: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await runLauncher(parts, argv, input)
  if (code !== 0) throw new Error(`bulkhead ${argv.join(' ')}: exit ${code}: ${stderr.trim()}\n${stdout}`)
  return stdout
}

function readToken({ data }: Parts): string {
  const token = /token: (\S+)/.exec(readFileSync(join(data, 'admin.yaml'), 'utf8'))?.[1]
  if (token === undefined) throw new Error('admin.yaml has no token')
  return token
}

async function callApi<T>(parts: Parts, path: string, method: string, body: unknown): Promise<T> {
  const response = await fetch(`${parts.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${readToken(parts)}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(10_000),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
  return JSON.parse(text) as T
}

async function startControlPlane(parts: Parts): Promise<void> {
  const { hosts, data, config, url, environment } = parts
  const argv = ['controlplane', '--data', data, '--listen', `${hosts.address}:${port}`, '--config', config]
  const started = hosts.exec([launcher, ...argv], { env: environment('controlplane') })
  parts.controlPlane = started
  await waitFor('the control plane to serve', 30_000, async () => {
    if (started.end) throw new Error(`the control plane ended: ${started.output()}`)
    return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1000) })).ok
  })
}

/** The first start joins with a token, every other one needs the data directory alone. */
async function startAgent(parts: Parts, number: number, settings: AgentSettings): Promise<void> {
  const { hosts, url, agents } = parts
  const host = hosts.host(number)
  const data = join(host.directory, 'agent')
  const argv = [launcher, 'agent', '--data', data]
  if (!agents.has(number)) {
    const token = (await runOrThrow(parts, ['token', 'create', '--node'])).trim()
    argv.push('--server', url, '--token', token, '--name', host.name, '--address', settings.address?.(host) ?? host.address)
    argv.push('--docker', 'unix:///run/docker.sock')
    for (const zone of settings.zones) argv.push('--zone', zone)
    for (const [key, value] of Object.entries(settings.labels ?? {})) argv.push('--label', `${key}=${value}`)
    if (settings.physicalHost !== undefined) argv.push('--host', settings.physicalHost)
  }
  agents.set(number, await host.exec(argv, { env: parts.environment(host.name) }))
}

function demand<T>(value: T | null | undefined, what: string): T {
  if (value === null || value === undefined) throw new Error(`${what} was not started`)
  return value
}

function configuration(hosts: Hosts, more: string): string {
  const registries = `images: { registries: [ { host: "${hosts.registry.address}", insecure: true } ] }`
  return `${registries}\n${more}\n`
}

/** Starts hosts, registry, control plane and agents, and waits until all nodes are ready. */
export async function startCluster(options: ClusterOptions): Promise<Cluster> {
  const { agents: { length: count }, engineArguments = [], diskMiB, environment } = options
  const hosts = await createHosts({ count, registry: true, engineArguments })
  const parts: Parts = {
    hosts,
    data: join(hosts.directory, 'controlplane'),
    config: join(hosts.directory, 'controlplane.yaml'),
    url: `http://${hosts.address}:${port}`,
    controlPlane: null,
    disk: null,
    agents: new Map(),
    environment: (name) => environment?.(hosts.directory, name) ?? {},
  }
  const cluster = makeCluster(parts, options)
  try {
    mkdirSync(parts.data, { recursive: true })
    if (diskMiB !== undefined) parts.disk = await mountSmallDisk(parts.data, diskMiB)
    writeFileSync(parts.config, configuration(hosts, options.config ?? ''))
    await startControlPlane(parts)
    await Promise.all(options.agents.map((_settings, index) => cluster.startAgent(index + 1)))
    await waitFor('all nodes to be ready', 60_000, async () => {
      const nodes = await cluster.nodes()
      return nodes.length === options.agents.length && nodes.every(({ state }) => state === 'ready')
    })
  } catch (error) {
    process.stderr.write(`${hosts.logs(30)}\n`)
    await cluster[Symbol.asyncDispose]()
    throw error
  }
  return cluster
}

function makeCluster(parts: Parts, options: ClusterOptions): Cluster {
  const { hosts } = parts
  const api = <T>(path: string, method = 'GET', body?: unknown): Promise<T> => callApi<T>(parts, path, method, body)
  return {
    hosts,
    context: join(parts.data, 'admin.yaml'),
    api,
    cli: (argv, input) => runLauncher(parts, argv, input),
    run: (argv, input) => runOrThrow(parts, argv, input),
    instances: async (query = '') => (await api<ListView<InstanceView>>(`/v1/instances?${query}`)).items,
    service: (environment, name) => api(`/v1/services/${environment}/${name}`),
    nodes: async () => (await api<ListView<NodeView>>('/v1/nodes')).items,
    startControlPlane: () => startControlPlane(parts),
    controlPlane: () => demand(parts.controlPlane, 'the control plane'),
    startAgent: (number) => startAgent(parts, number, options.agents[number - 1] ?? { zones: [] }),
    agent: (number) => demand(parts.agents.get(number), `agent ${number}`),
    disk: () => demand(parts.disk, 'a disk of its own'),
    async [Symbol.asyncDispose]() {
      for (const agent of parts.agents.values()) agent.kill('SIGKILL')
      parts.controlPlane?.kill('SIGKILL')
      await parts.controlPlane?.exited
      await parts.disk?.[Symbol.asyncDispose]()
      await hosts[Symbol.asyncDispose]()
    },
  }
}

/** Waits until every service is converged, and says what is not when it takes too long. */
export async function waitConverged(cluster: Cluster, timeoutMs: number): Promise<void> {
  let last: readonly ServiceView[] = []
  try {
    await waitFor('all services to converge', timeoutMs, async () => {
      last = (await cluster.api<ListView<ServiceView>>('/v1/services')).items
      return last.every(({ status, deleting }) => status === 'converged' && !deleting)
    })
  } catch (error) {
    const rest = last.filter(({ status }) => status !== 'converged')
    const lines = rest.map(({ name, status, reason, replicas }) => `${name}: ${status}: ${reason} ${JSON.stringify(replicas)}`)
    throw new Error(`not converged: ${lines.join('; ')}`, { cause: error })
  }
}
