import type { Beat, NodeFacts, ToAgentMessage } from '@bulkhead/shared'
import {
  beatKeyOfToken,
  decodeBeat,
  encodeBeat,
  FromAgentMessage,
  isSignedBy,
  wireVersion,
} from '@bulkhead/shared'
import type { DnsHandler } from '@bulkhead/shared/dns'
import { pino } from 'pino'
import { Compile } from 'typebox/schema'

import { Agent } from '../../src/agent.ts'
import type { DiscoveryHandler } from '../../src/discovery/listener.ts'
import type { Checker, CheckResult } from '../../src/health/checker.ts'
import type { JournalStorage } from '../../src/journal/storage.ts'
import { nodeFacts } from '../../src/node/facts.ts'
import type { Datagrams } from '../../src/session/datagrams.ts'
import type { ConnectionHandlers, Transport } from '../../src/session/transport.ts'
import { aPolicy } from './endpoints.ts'
import { FakeClock } from './fake-clock.ts'
import { FakeEngine } from './fake-engine.ts'
import { InProcessNames } from './in-process-names.ts'

const validator = Compile(FromAgentMessage)

class MemoryStorage implements JournalStorage {
  data: Buffer | null = null
  read = async () => this.data
  append = async (data: Buffer) =>
    void (this.data = Buffer.concat([this.data ?? Buffer.alloc(0), data]))
  replace = async (data: Buffer) => void (this.data = data)
  setAside = async (suffix: string) => suffix
  close = async () => {}
}

type Message<K extends FromAgentMessage['kind']> = Extract<FromAgentMessage, { kind: K }>

/** A whole agent in a world of its own: time, engine, probes, disk and network are a test's to command. */
export class FakeWorld {
  readonly clock = new FakeClock()
  readonly engine = new FakeEngine(this.clock)
  readonly storage = new MemoryStorage()
  readonly received: FromAgentMessage[] = []
  /** What probes are answered, by instance. */
  readonly answers = new Map<string, CheckResult>()
  readonly served = new Map<string, DiscoveryHandler>()
  readonly names = new Map<string, DnsHandler>()
  /** Why names cannot be served; empty when they can. */
  namesProblem = ''
  readonly #serving = new InProcessNames(this.clock, async (address, port, handler) => {
    if (this.namesProblem !== '') throw new Error(this.namesProblem)
    this.names.set(`${address}:${port}`, handler)
    return { port, close: async () => void this.names.delete(`${address}:${port}`) }
  })
  servesAddresses = false
  readonly #checker: Checker = {
    check: async (_, { instance }) => this.answers.get(instance) ?? { ok: true, detail: '' },
  }
  answersHeartbeats = true
  acknowledges = true
  #connection: ConnectionHandlers | null = null
  #phase: 'opened' | 'greeted' | 'synced' = 'opened'
  #isReachable = true
  #controller: AbortController | null = null
  #running: Promise<void> = Promise.resolve()

  readonly #transport: Transport = {
    open: async (_, token, handlers) => {
      if (!this.#isReachable) throw new Error('connect ECONNREFUSED')
      if (token !== 'node-token') throw new Error('HTTP 401')
      this.#connection = handlers
      this.#phase = 'opened'
      return {
        bufferedBytes: 0,
        send: (text) => {
          const message = JSON.parse(text) as FromAgentMessage
          const isKnown: boolean = validator.Check(message)
          if (!isKnown) throw new Error(`nonsense: ${text}`)
          this.#expect(message.kind)
          this.received.push(message)
          queueMicrotask(() => this.#acknowledge(message))
        },
        close: () => this.cut(),
      }
    },
  }

  /** Beats that were sent, and how they are answered: not at all unless a test says so. */
  readonly beats: Beat[] = []
  answersBeats = false
  readonly #datagrams: Datagrams = {
    open: (_, onDatagram) => ({
      send: (datagram) => {
        const beat = decodeBeat(datagram)
        if (!beat || !isSignedBy(datagram, beatKeyOfToken('node-token'))) throw new Error('no beat')
        this.beats.push(beat)
        const answer = encodeBeat({ ...beat, kind: 'answer' }, beatKeyOfToken('node-token'))
        if (this.answersBeats) queueMicrotask(() => onDatagram(answer))
      },
      close: () => {},
    }),
  }

  async start(options: { readonly preparedSuccessors?: number } = {}): Promise<void> {
    const controller = new AbortController()
    this.#controller = controller
    const agent = new Agent(
      {
        clock: this.clock,
        random: () => 0.5,
        logger: pino({ level: process.env['BULKHEAD_TEST_LOG'] ?? 'silent' }),
        engine: this.engine,
        checker: this.#checker,
        transport: this.#transport,
        datagrams: this.#datagrams,
        storage: this.storage,
        listen: async (address, port, handler) => {
          this.served.set(`${address}:${port}`, handler)
          return { port, close: async () => void this.served.delete(`${address}:${port}`) }
        },
        names: this.#serving,
        servesAddresses: () => this.servesAddresses,
        consumers: [],
        kernel: null,
        machine: null,
        proxy: null,
      },
      {
        identity: { cluster: 'c', node: 'n' },
        url: 'ws://server/v1/agent/session',
        token: 'node-token',
        bootId: 'boot',
        address: '10.0.0.1',
        facts: (report, problems): NodeFacts =>
          nodeFacts(
            { address: '10.0.0.1', zones: [], environments: [], labels: {}, host: 'h' },
            report,
            problems,
          ),
        startsAtOnce: 8,
        preparedSuccessors: options.preparedSuccessors ?? 0,
        discoveryPort: 7071,
        dnsForward: true,
        resolvConf: '/etc/resolv.conf',
        table: 'inet bulkhead',
        unenforced: '',
        edgeAddresses: [],
      },
    )
    this.#running = agent.run(controller.signal)
    await this.clock.pass(10)
  }

  /** The agent's process ends; containers, disk and network stay. */
  async stop(): Promise<void> {
    this.#controller?.abort()
    await this.clock.pass(20)
    await this.#running
  }

  send(message: ToAgentMessage): void {
    this.#connection?.onMessage(JSON.stringify(message))
  }

  sendText(text: string): void {
    this.#connection?.onMessage(text)
  }

  /** As the control plane does, which closes a session in which something comes out of order. */
  #expect(kind: FromAgentMessage['kind']): void {
    const first = { opened: 'hello', greeted: 'inventory', synced: null } as const
    const only = first[this.#phase]
    if (only !== null && kind !== only) throw new Error(`${kind} came out of order`)
    this.#phase = this.#phase === 'opened' ? 'greeted' : 'synced'
  }

  #acknowledge(message: FromAgentMessage): void {
    if (message.kind === 'heartbeat' && this.answersHeartbeats) {
      this.send({ kind: 'heartbeat-ack', sequence: message.sequence })
    }
    if (message.kind === 'status' && this.acknowledges) {
      this.send({ kind: 'status-ack', sequence: message.sequence })
    }
  }

  welcome(): void {
    const rest = {
      wireVersion,
      cluster: 'c',
      node: 'n',
      heartbeatMs: 1000,
      leaseMs: 15_000,
      registries: [],
    }
    this.send({ kind: 'welcome', ...rest })
    this.send({ kind: 'policy', policy: aPolicy({ application: ['data'], data: [] }) })
  }

  cut(): void {
    const connection = this.#connection
    this.#connection = null
    connection?.onClose('cut')
  }

  set reachable(reachable: boolean) {
    this.#isReachable = reachable
    if (!reachable) this.cut()
  }

  of<K extends FromAgentMessage['kind']>(kind: K): Message<K>[] {
    return this.received.filter((message): message is Message<K> => message.kind === kind)
  }

  /** The last that was said of each instance, among all messages or the first `count`. */
  reports(count = this.received.length): Map<string, Message<'status'>['reports'][number]> {
    const all = this.received
      .slice(0, count)
      .flatMap((message) =>
        message.kind === 'status' || message.kind === 'inventory' ? message.reports : [],
      )
    return new Map(all.map((report) => [report.instance, report]))
  }
}
