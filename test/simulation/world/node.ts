import { BulkheadError, type FromAgentMessage, type NodeFacts } from '@bulkhead/shared'

import {
  Agent,
  type AgentDeps,
  type DiscoveryHandler,
  nodeFacts,
  RefusedByServer,
  type Transport,
} from '../../../packages/agent/src/index.ts'
import type { Random } from '../random.ts'
import type { NodePlan } from '../scenario/scenario.ts'
import { SimChecker } from './checker.ts'
import type { SimControlPlane } from './control-plane.ts'
import { simDatagrams } from './datagrams.ts'
import { Disk, journalOn } from './disk.ts'
import { EngineClient } from './engine-client.ts'
import { SimEngine } from './engine.ts'
import { Heartbeats } from './heartbeats.ts'
import { Host } from './host.ts'
import { SimNames } from './names.ts'
import type { End, Link, Network } from './network.ts'
import { Process } from './process.ts'
import { SimProxy } from './proxy.ts'
import type { Schedule } from './schedule.ts'

export interface NodeDeps {
  readonly schedule: Schedule
  readonly network: Network
  readonly controlPlane: SimControlPlane
  readonly random: Random
  readonly logger: (process: string) => AgentDeps['logger']
  /** The agent's program has ended by itself. */
  readonly onDeath: (node: SimNode, error: unknown) => void
  readonly onEngineCall: (node: SimNode, call: string, container: string) => void
}

const handshakeMs = 10_000
const agentEndsMs = 1000
const mebibyte = 1024 * 1024

/** A machine with an engine, and the agent on it: what stays when the agent's process ends. */
export class SimNode {
  readonly plan: NodePlan
  readonly host: Host
  readonly engine: SimEngine
  readonly disk: Disk
  readonly link: Link
  readonly heartbeats = new Heartbeats()
  readonly proxy = new SimProxy()
  readonly names = new SimNames()
  /** What the agent proves itself with; null: it has not joined, or was removed. */
  token: string | null = null
  cluster = ''
  /** When something last went wrong with the machine itself, its engine or its speed. */
  troubledAtMs = -Infinity
  /** Times that its pulls, heartbeats and all else are held up by its own way to the control plane. */
  latency = 1
  /** Until when it may not be heard from, for whatever reason that is not the control plane's. */
  silencedUntilMs = -Infinity
  /** What the agent answers to containers that ask for services; null: nobody does. */
  discovery: DiscoveryHandler | null = null
  readonly #deps: NodeDeps
  #process: Process | null = null
  #stop: AbortController | null = null
  #starts = 0
  #connected: End | null = null

  constructor(plan: NodePlan, deps: NodeDeps) {
    const { schedule, random } = deps
    this.plan = plan
    this.#deps = deps
    this.host = new Host(plan.name, schedule, random)
    this.host.skewMs = plan.skewMs
    const capacity = { cpuMillis: plan.cpuMillis, memoryBytes: plan.memoryMiB * mebibyte }
    this.engine = new SimEngine(this.host, schedule, random, capacity)
    this.disk = new Disk(random)
    this.link = {
      latencyMs: () => random.between(0.2, 3) * this.latency,
      loss: 0,
      stalledUp: false,
      stalledDown: false,
    }
  }

  get name(): string {
    return this.plan.name
  }

  get process(): Process | null {
    return this.#process
  }

  get facts(): NodeFacts {
    return this.#facts(this.engine.facts())
  }

  /** Something is about to go wrong with it that lasts for `forMs`. */
  silence(forMs: number): void {
    this.silencedUntilMs = Math.max(this.silencedUntilMs, this.#deps.schedule.nowMs + forMs)
  }

  startAgent(): void {
    if (this.#process?.alive || !this.host.up || this.token === null) return
    this.#starts += 1
    const process = new Process(
      `${this.name}-agent-${this.#starts}`,
      this.host,
      this.#deps.schedule,
    )
    this.#process = process
    this.#stop = new AbortController()
    this.#makeAgent(process, this.token)
      .run(this.#stop.signal)
      .catch((error: unknown) => this.#deps.onDeath(this, error))
  }

  killAgent(): void {
    this.#process?.kill()
  }

  /** As on SIGTERM: it may finish what it is at, and is then started again. */
  restartAgent(): void {
    const process = this.#process
    this.#stop?.abort()
    process?.after(agentEndsMs, 'agent ends', () => {
      process.kill()
      this.startAgent()
    })
  }

  /** The agent says what its node's proxy has sent to instances, when there is a session to say it in. */
  tellTraffic(instances: Extract<FromAgentMessage, { kind: 'traffic' }>['instances']): void {
    if (!this.#process?.alive || !this.host.up || this.#connected?.open !== true) return
    const message: FromAgentMessage = { kind: 'traffic', instances }
    this.#connected.send(JSON.stringify(message))
  }

  powerOff(): void {
    this.host.up = false
    this.#process?.kill()
    this.engine.stop(true)
    this.proxy.losePower()
    this.names.losePower()
    this.disk.losePower()
  }

  powerOn(): void {
    if (this.host.up) return
    this.host.up = true
    this.host.bootedAtMs = this.#deps.schedule.nowMs
    this.#deps.schedule.after(
      this.host.random.between(500, 4000),
      `${this.name} engine starts`,
      () => {
        this.engine.up = this.host.up
      },
    )
    this.#deps.schedule.after(
      this.host.random.between(500, 4000),
      `${this.name} agent starts`,
      () => this.startAgent(),
    )
  }

  #facts(
    report: Parameters<typeof nodeFacts>[1],
    problems?: Parameters<typeof nodeFacts>[2],
  ): NodeFacts {
    const { address, zones, environments, labels, host } = this.plan
    return nodeFacts(
      { address, zones: [...zones], environments: [...environments], labels, host },
      report,
      problems,
    )
  }

  #makeAgent(process: Process, token: string): Agent {
    const { random, logger, onEngineCall } = this.#deps
    const onCall = (call: string, container: string): void => onEngineCall(this, call, container)
    return new Agent(
      {
        clock: process.clock,
        random: () => random.next(),
        logger: logger(process.name),
        engine: new EngineClient({ engine: this.engine, process, onCall }),
        checker: new SimChecker(this.engine, process),
        transport: this.#transport(process),
        datagrams: simDatagrams({ ...this.#deps, process, link: this.link }),
        storage: journalOn(this.disk, process),
        listen: async (_address, port, handler) => {
          this.discovery = handler
          return { port, close: async () => {} }
        },
        names: this.names.fedBy(process),
        servesAddresses: () => false,
        proxy: null,
        consumers: [this.proxy.fedBy(process)],
        kernel: null,
        machine: null,
      },
      {
        identity: { cluster: this.cluster, node: this.name },
        url: 'ws://controlplane',
        token,
        bootId: process.name,
        address: this.plan.address,
        facts: (report, problems) => this.#facts(report, problems),
        startsAtOnce: 4,
        preparedSuccessors: this.plan.preparedSuccessors,
        discoveryPort: 7071,
        dnsForward: false,
        resolvConf: '',
        table: 'inet bulkhead',
        unenforced: '',
        edgeAddresses: [],
      },
    )
  }

  #transport(process: Process): Transport {
    const { network, controlPlane } = this.#deps
    return {
      open: async (_url, token, handlers) => {
        const server = controlPlane.process
        const resendMs = network.resendMs(this.link.loss) + network.resendMs(this.link.loss)
        const wantedMs = 2 * this.link.latencyMs() + 1 + resendMs
        const isStalled = this.link.stalledUp || this.link.stalledDown || !server?.host.up
        const isCut = isStalled || wantedMs > handshakeMs
        const roundTripMs = isCut ? handshakeMs : wantedMs
        return process.ask(
          `${process.name} connects`,
          roundTripMs / 2,
          () => {
            if (isCut || this.link.stalledUp) throw new Error('the handshake took too long')
            const now = controlPlane.process
            if (!now || !controlPlane.running) throw new Error('connect ECONNREFUSED')
            const { client, server: end } = network.connect(process, now, this.link)
            try {
              controlPlane.accept(token, end)
            } catch (error) {
              if (error instanceof BulkheadError) throw new RefusedByServer(error.message)
              throw error
            }
            const { heartbeats, engine } = this
            heartbeats.reconnected()
            this.#connected = null
            const onText = (text: string): void => {
              heartbeats.received(text, engine.nowMs)
              // What a proxy has counted can be told once the session has begun.
              if (text.startsWith('{"kind":"endpoints"')) this.#connected = client
              handlers.onMessage(text)
            }
            client.handlers = { onText, onClose: handlers.onClose }
            return {
              send: (text) => {
                heartbeats.sent(text, engine.nowMs)
                client.send(text)
              },
              close: () => {
                if (!client.open) return
                client.close('closed')
                process.after(0, 'closed', () => handlers.onClose('closed'))
              },
              get bufferedBytes() {
                return client.bufferedBytes
              },
            }
          },
          roundTripMs / 2,
        )
      },
    }
  }
}
