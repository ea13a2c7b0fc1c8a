import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { type Cluster, startCluster, waitConverged } from '../cluster/cluster.ts'
import { waitFor } from '../engines/command.ts'
import type { HostProcess } from '../engines/host-process.ts'
import type { Host } from '../engines/host.ts'

/** What happens to the agent of the node that an exclusive instance runs on, while the node is cut off. */
export type AgentFault = 'SIGKILL' | 'SIGSTOP'

/** The shortest lease that is accepted, so that a run is short. */
const config = 'nodes: { lease: 6s, restartGrace: 4s }'
const port = 25_000
/** How long both are watched once the second one answers. */
const afterMs = 1500

const program = fileURLToPath(new URL('programs/watch.js', import.meta.url))

const spec = (image: string): string => `
apiVersion: bulkhead/v1
kind: Service
name: db
zone: data
image: ${image}
exclusive: true
ports: { http: { port: 8080, host: ${port} } }
resources: { cpu: 0.2, memory: 32Mi }
health: { readiness: { http: { port: http, path: /healthz }, interval: 200ms } }
stop: { drain: 0, grace: 1s }
restart: { delay: 100ms }
update: { minHealthyTime: 100ms }
`

export interface FenceRun {
  readonly fault: AgentFault
  /** Host that it was on, and host that it went to. */
  readonly from: string
  readonly to: string
  /** From the fault to the last answer of the first instance, and to the first one of the second. */
  readonly lastOldMs: number
  readonly firstNewMs: number
  /** The same of the packets that a capture on the wire between the hosts holds. */
  readonly lastOldPacketMs: number
  readonly firstNewPacketMs: number
}

export const overlaps = (run: FenceRun): boolean =>
  run.lastOldMs >= run.firstNewMs || run.lastOldPacketMs >= run.firstNewPacketMs

/** A cluster with one exclusive instance. */
export interface FenceWorld extends AsyncDisposable {
  readonly cluster: Cluster
  /**
   * Does it to the node that the instance is on, while the instance is asked all the time from all hosts, with a
   * capture on the wire between them; puts everything right again.
   */
  run(fault: AgentFault, sabotage?: (host: Host) => Promise<unknown>): Promise<FenceRun>
}

export async function startFenceWorld(): Promise<FenceWorld> {
  const zones = ['data']
  const agents = [{ zones }, { zones }, { zones }]
  const cluster = await startCluster({ agents, config })
  const [image] = cluster.hosts.images.serve
  await cluster.run(['apply', '-f', '-', '--wait'], spec(image))
  return {
    cluster,
    async run(fault, sabotage) {
      const watched = await watch(cluster)
      try {
        return await runOnce(watched, fault, sabotage)
      } finally {
        for (const one of [...watched.watchers, watched.capture]) one.kill('SIGKILL')
      }
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}

interface Watched {
  readonly cluster: Cluster
  readonly watchers: readonly HostProcess[]
  readonly capture: HostProcess
}

async function watch(cluster: Cluster): Promise<Watched> {
  const { hosts, bridge } = cluster.hosts
  const addresses = JSON.stringify(hosts.map(({ address }) => address))
  const watchers = await Promise.all(
    hosts.map((host) => host.exec([process.execPath, program, addresses, String(port)])),
  )
  // What is sent from the port with something in it is an answer.
  const filter = `tcp and src port ${port} and greater 80`
  const options = ['-i', bridge, '-nn', '-tt', '-l', '-q', '--immediate-mode']
  const capture = cluster.hosts.exec(['tcpdump', ...options, filter])
  await waitFor('the first answers', 20_000, () => capture.output().includes(`.${port} >`))
  return { cluster, watchers, capture }
}

/** Times of answers by address, in milliseconds since the epoch. */
function answersOf({ watchers }: Watched, sinceMs: number): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>()
  for (const line of watchers.flatMap((watcher) => watcher.output().split('\n'))) {
    const [time = '', address = ''] = line.split(' ')
    if (Number(time) >= sinceMs && address !== '') note(found, address, Number(time))
  }
  return found
}

function packetsOf({ capture }: Watched, sinceMs: number): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, number[]>()
  for (const line of capture.output().split('\n')) {
    const packet = /^(\d+\.\d+) IP (\d+\.\d+\.\d+\.\d+)\.\d+ > /.exec(line)
    const atMs = Number(packet?.[1] ?? 0) * 1000
    if (packet && atMs >= sinceMs) note(found, packet[2] ?? '', atMs)
  }
  return found
}

function note(found: Map<string, number[]>, address: string, atMs: number): void {
  const known = found.get(address)
  if (known) known.push(atMs)
  else found.set(address, [atMs])
}

async function runOnce(
  watched: Watched,
  fault: AgentFault,
  sabotage?: (host: Host) => Promise<unknown>,
): Promise<FenceRun> {
  const { cluster } = watched
  const before = await waitFor('something healthy to begin with', 30_000, async () => {
    const instances = await cluster.instances('service=db&environment=default')
    return instances.find(({ health }) => health === 'healthy')
  })
  const number = Number(before.node?.slice('host'.length))
  const host = cluster.hosts.host(number)
  const agent = cluster.agent(number)
  const sinceMs = Date.now()
  agent.kill(fault)
  await sabotage?.(host)
  await host.dropFrom(cluster.hosts.address)
  await host.dropToOutside()
  const others = cluster.hosts.hosts.filter((other) => other !== host)
  const next = await waitFor('the second instance to answer', 40_000, () =>
    others.find(({ address }) => answersOf(watched, sinceMs).has(address)),
  )
  await delay(afterMs)
  await putRight(watched, host, number, fault)
  const times = (all: ReadonlyMap<string, readonly number[]>, address: string): readonly number[] =>
    (all.get(address) ?? [sinceMs]).map((atMs) => atMs - sinceMs)
  const answers = answersOf(watched, sinceMs)
  const packets = packetsOf(watched, sinceMs)
  return {
    fault,
    from: host.name,
    to: next.name,
    lastOldMs: Math.max(...times(answers, host.address)),
    firstNewMs: Math.min(...times(answers, next.address)),
    lastOldPacketMs: Math.max(...times(packets, host.address)),
    firstNewPacketMs: Math.min(...times(packets, next.address)),
  }
}

/** The node comes back; what it had is taken from it, and all of that time it is watched, too. */
async function putRight(
  { cluster }: Watched,
  host: Host,
  number: number,
  fault: AgentFault,
): Promise<void> {
  const agent = cluster.agent(number)
  await host.clearDrops()
  if (fault === 'SIGSTOP') agent.kill('SIGCONT')
  else await cluster.startAgent(number)
  await waitFor('the node to be ready', 30_000, async () =>
    (await cluster.nodes()).every(({ state }) => state === 'ready'),
  )
  await waitFor('the first instance to be gone', 30_000, async () => {
    const filters = { label: ['bulkhead.service=default/db'] }
    return (await host.docker.listContainers({ filters })).length === 0
  })
  await waitConverged(cluster, 30_000)
}
