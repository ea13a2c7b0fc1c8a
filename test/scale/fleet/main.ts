import { setTimeout as delay } from 'node:timers/promises'

import type { EndpointTable } from '@bulkhead/shared'

import { sessionUrl } from '../../../packages/agent/src/session/ws-transport.ts'
import { SimulatedAgent } from './agent.ts'
import type { Answer, Command, LoadFigures } from './commands.ts'
import { Turns } from './turns.ts'
import { watchService } from './watchers.ts'

// Simulated agents, and clients that watch: not in the control plane's process, so that its costs are its own.

const connectAtOnce = 100
const connectAttempts = 10
const turnEveryMs = 10

const agents: SimulatedAgent[] = []
const watched = new Set<string>()
const forWatchers = new Turns()
const forAgents = new Turns()
const stop = new AbortController()
let url = ''
let cutOff: SimulatedAgent[] = []
let heartbeats: number[] = []
/** Of the last load. */
let figures: LoadFigures | null = null

function readTables(text: string): void {
  const { tables } = JSON.parse(text) as { tables: readonly EndpointTable[] }
  for (const { service, endpoints } of tables) {
    if (watched.has(service)) forAgents.seen(service, new Set(endpoints.map(({ instance }) => instance)))
  }
}

async function connectAll(wanted: readonly SimulatedAgent[]): Promise<void> {
  for (let at = 0; at < wanted.length; at += connectAtOnce) {
    await Promise.all(wanted.slice(at, at + connectAtOnce).map(connectSoon))
  }
}

/** As an agent does, it tries again when the control plane is too busy to answer. */
async function connectSoon(agent: SimulatedAgent): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await agent.connect(sessionUrl(url))
      return
    } catch (error) {
      if (attempt === connectAttempts) throw error
      await delay(attempt * 200)
    }
  }
}

async function connect(command: Extract<Command, { kind: 'connect' }>): Promise<void> {
  url = command.url
  // One agent of each environment reads what it is sent; the others only take it.
  const readers = new Set<string>()
  for (const { token, ...node } of command.agents) {
    const place = `${node.facts.environments.join(' ')} ${node.facts.zones.join(' ')}`
    const reads = !readers.has(place)
    readers.add(place)
    agents.push(
      new SimulatedAgent(node, token, {
        onHeartbeat: (roundTripMs) => heartbeats.push(roundTripMs),
        onEndpoints: (text) => {
          if (reads) readTables(text)
        },
      }),
    )
  }
  await connectAll(agents)
}

function watch({ services, ...server }: Extract<Command, { kind: 'watch' }>): void {
  for (const service of services) {
    watched.add(service)
    watchService(server, service, (serving) => forWatchers.seen(service, serving), stop.signal).catch(
      (error: unknown) => {
        if (!stop.signal.aborted) process.stderr.write(`watching ${service}: ${String(error)}\n`)
      },
    )
  }
}

interface Target {
  readonly agent: SimulatedAgent
  readonly service: string
  readonly id: string
}

function turn({ agent, service, id }: Target): boolean {
  if (!agent.isConnected || forWatchers.isPending(service, id)) return false
  const healthy = agent.turn(id)
  if (watched.has(service)) {
    forWatchers.begin(service, id, healthy)
    forAgents.begin(service, id, healthy)
  }
  return true
}

async function load({ changesPerS, forS }: Extract<Command, { kind: 'load' }>): Promise<void> {
  const targets = agents.flatMap((agent) =>
    Array.from(agent.reports.values(), ({ instance: id, service }) => ({ agent, service, id })),
  )
  const seen = targets.filter(({ service }) => watched.has(service))
  const from = seen.length > 0 ? seen : targets
  const since = performance.now()
  heartbeats = []
  let turned = 0
  let due = 0
  for (let count = 0; performance.now() - since < forS * 1000; ) {
    due = ((performance.now() - since) / 1000) * changesPerS
    for (; count < due; count++) {
      const target = from[Math.floor(Math.random() * from.length)]
      if (target && turn(target)) turned++
    }
    await delay(turnEveryMs)
  }
  const tookS = (performance.now() - since) / 1000
  const heartbeatMs = heartbeats
  heartbeats = []
  await delay(1000)
  for (const agent of agents) agent.heal()
  figures = {
    changesPerS: Math.round(turned / tookS),
    heartbeatsPerS: Math.round(heartbeatMs.length / tookS),
    watcherMs: forWatchers.take(),
    agentMs: forAgents.take(),
    heartbeatMs,
  }
}

const handlers: { readonly [K in Command['kind']]: (command: Extract<Command, { kind: K }>) => Promise<void> | void } = {
  connect,
  watch,
  load,
  cut({ count }) {
    cutOff = agents.slice(0, count)
    for (const agent of cutOff) agent.cut()
  },
  restore: () => connectAll(cutOff),
  end() {
    stop.abort()
    for (const agent of agents) agent.cut()
  },
}

async function obey(command: Command): Promise<void> {
  const handle = handlers[command.kind] as (command: Command) => Promise<void> | void
  await handle(command)
  process.send?.(figures satisfies Answer, () => {
    if (command.kind === 'end') process.disconnect()
  })
}

process.on('message', (command: Command) => void obey(command))
