import { canonicalJson, type Clock, type NodeFacts, sleep, splitServiceKey } from '@bulkhead/shared'
import type { Forwarder, ListenDns } from '@bulkhead/shared/dns'
import type { Logger } from 'pino'

import { Askers, type FindAsker } from './askers.ts'
import { networkName } from './core/network-name.ts'
import { type NodeIdentity, ownership } from './core/ownership.ts'
import type { Forwarding } from './core/visible-names.ts'
import { CpuLimits } from './cpu-limits.ts'
import { answer } from './discovery/answer.ts'
import type { Listen } from './discovery/listener.ts'
import { Networks } from './discovery/networks.ts'
import { nameHandler } from './dns/name-handler.ts'
import { NameServers } from './dns/name-servers.ts'
import { Drains } from './drains.ts'
import { EngineWatch } from './engine/engine-watch.ts'
import type { Engine } from './engine/engine.ts'
import { Pulls } from './engine/pulls.ts'
import { Executor } from './execute.ts'
import { noteFailure } from './failure-notice.ts'
import type { Checker } from './health/checker.ts'
import { ProbeRunner } from './health/probe-runner.ts'
import { ProbeSync } from './health/probe-sync.ts'
import { Journal } from './journal/journal.ts'
import type { JournalStorage } from './journal/storage.ts'
import { LineageStore } from './lineage-store.ts'
import { type EngineReport, unknownEngine } from './node/facts.ts'
import { restoreFrom } from './restore.ts'
import { Beats } from './session/beats.ts'
import type { Datagrams } from './session/datagrams.ts'
import { LeaseKeeper } from './session/lease-keeper.ts'
import { Session } from './session/session.ts'
import { Streams } from './session/streams.ts'
import type { Transport } from './session/transport.ts'
import { Supervisor } from './supervisor.ts'
import type { TrafficConsumer } from './traffic/consumer.ts'
import { TrafficKeeper } from './traffic/keeper.ts'

/** The world as the agent sees it. A simulator passes its own. */
export interface AgentDeps {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly logger: Logger
  readonly engine: Engine
  readonly checker: Checker
  readonly transport: Transport
  readonly datagrams: Datagrams
  readonly storage: JournalStorage
  readonly listen: Listen
  readonly dns: {
    readonly listen: ListenDns
    /** Has names of others looked up; null: they are refused. */
    readonly forwarder: Forwarder | null
  }
  /** Whether connections to the addresses of services are passed on here. */
  readonly servesAddresses: () => boolean
  /** What sends traffic by endpoint tables, or lets it through, beside discovery. */
  readonly consumers: readonly TrafficConsumer[]
}

export interface AgentSettings {
  readonly identity: NodeIdentity
  /** Of the session. */
  readonly url: string
  readonly token: string
  readonly bootId: string
  /** Where ports are published. */
  readonly address: string
  readonly facts: (report: EngineReport) => NodeFacts
  readonly startsAtOnce: number
  readonly preparedSuccessors: number
  readonly discoveryPort: number
  /** Zones whose containers may have names of others looked up. */
  readonly dnsForward: Forwarding
}

const factsRetryMs = 2000
const firstListMs = 3000
const sweepMs = 60_000

const networkOfLabels = (labels: Readonly<Record<string, string>>): string =>
  networkName(labels[ownership.environment] ?? '', labels[ownership.zone] ?? '')

/** One node's agent: everything but the process around it. */
export class Agent {
  readonly #deps: AgentDeps
  readonly #settings: AgentSettings
  readonly #journal: Journal
  readonly #traffic: TrafficKeeper
  readonly #watch: EngineWatch
  readonly #limits: CpuLimits
  readonly #names: NameServers
  readonly #networks: Networks
  readonly #pulls: Pulls
  readonly #runner: ProbeRunner
  readonly #store: LineageStore
  readonly #supervisor: Supervisor
  readonly #streams: Streams
  readonly #session: Session
  readonly #lease: LeaseKeeper
  #report: EngineReport = unknownEngine
  #signal: AbortSignal | null = null

  constructor(deps: AgentDeps, settings: AgentSettings) {
    this.#deps = deps
    this.#settings = settings
    const { identity } = settings
    this.#journal = new Journal(deps)
    const journal = this.#journal
    this.#traffic = this.#makeTraffic()
    const onProgress = (reference: string, text: string) =>
      this.#supervisor.notePull(reference, text)
    this.#pulls = new Pulls({ ...deps, onProgress })
    this.#watch = new EngineWatch({
      ...deps,
      identity,
      onChange: (ids) => this.#onChange(ids),
      onProblem: () => this.#session.beat(),
      onNetworkRemoved: (network) => this.#onNetworkRemoved(network),
    })
    const watch = this.#watch
    this.#limits = new CpuLimits({ ...deps, containers: watch.containers })
    const askers = new Askers({ ...deps, watch })
    const findAsker = (address: string) => askers.find(address)
    this.#names = this.#makeNames(findAsker)
    this.#networks = this.#makeNetworks(findAsker)
    const networks = this.#networks
    const pulls = this.#pulls
    const executor = new Executor({ ...deps, ...settings, watch, networks, pulls })
    this.#runner = new ProbeRunner({
      ...deps,
      onResult: (instance) => this.#supervisor.markInstance(instance),
    })
    this.#store = new LineageStore({
      journal,
      onReport: (report) => this.#session.outbox.put(report),
      onForgotten: (report) => this.#session.outbox.putLast(report),
    })
    this.#lease = new LeaseKeeper({
      ...deps,
      onChange: () => this.#supervisor.markExclusive(),
      onRenewed: (times) => {
        if (this.#store.hasExclusive) journal.put('lease', times)
      },
    })
    const lease = this.#lease
    this.#supervisor = new Supervisor({
      ...deps,
      lease,
      store: this.#store,
      watch,
      executor,
      pulls,
      probes: new ProbeSync({ ...deps, watch, runner: this.#runner }),
      drains: new Drains({ ...deps, onQuiet: (instance) => this.#supervisor.markInstance(instance) }),
      onFailure: (lineage, failed) =>
        noteFailure({ ...deps, store: this.#store, outbox: this.#session.outbox }, lineage, failed),
      onRemoved: (report) => this.#session.outbox.putLast(report),
      preparedLimit: settings.preparedSuccessors,
    })
    this.#session = this.#makeSession()
    this.#streams = new Streams({
      ...deps,
      findContainer: (instance) => watch.containers.ofInstance(instance)[0]?.id ?? null,
      send: (message) => this.#session.send(message),
      bufferedBytes: () => this.#session.bufferedBytes,
    })
  }

  /** Until `signal` is aborted. Containers run on then. */
  async run(signal: AbortSignal): Promise<void> {
    const restored = restoreFrom(await this.#journal.load(), this.#deps.logger)
    for (const lineage of restored.lineages) this.#store.restore(lineage)
    for (const [name, port] of restored.ports) this.#networks.restorePort(name, port)
    this.#traffic.restore(restored.tables, restored.policy)
    if (restored.lease) this.#lease.restore(restored.lease)
    this.#report = restored.engine ?? unknownEngine
    this.#signal = signal
    this.#supervisor.run(signal)
    this.#sweepNetworks(signal)
    const watching = this.#watch.run(signal)
    const ready = Promise.all([this.#learnFacts(signal), this.#watch.listed])
    // So that what is said first is complete; an engine that is down must not keep the agent from saying so.
    await Promise.race([ready, sleep(this.#deps.clock, firstListMs)])
    await Promise.all([watching, this.#session.run(signal)])
    this.#runner.close()
    this.#lease.close()
    this.#streams.closeAll()
    await this.#networks.close()
    await this.#journal.close()
  }

  #makeTraffic(): TrafficKeeper {
    return new TrafficKeeper({
      ...this.#deps,
      journal: this.#journal,
      onServed: (revision) => this.#session.send({ kind: 'endpoints-applied', revision }),
    })
  }

  #makeNames(findAsker: FindAsker): NameServers {
    const { dns, servesAddresses, logger } = this.#deps
    const directory = this.#traffic
    const { dnsForward: forwarding } = this.#settings
    const handler = nameHandler({ ...dns, directory, findAsker, servesAddresses, forwarding, logger })
    const onNotice = (action: string, reason: string): void =>
      this.#session.send({ kind: 'notice', action, reason })
    return new NameServers({ ...this.#deps, listen: dns.listen, handler, onNotice })
  }

  #makeNetworks(findAsker: FindAsker): Networks {
    const { identity, discoveryPort } = this.#settings
    return new Networks({
      ...this.#deps,
      journal: this.#journal,
      identity,
      discoveryPort,
      names: this.#names,
      handler: (request) => answer({ directory: this.#traffic, findAsker }, request),
    })
  }

  #makeSession(): Session {
    const settings = this.#settings
    const handlers = {
      facts: () => settings.facts(this.#report),
      inventory: () => ({
        reports: this.#supervisor.inventory(),
        unmanaged: this.#watch.unmanaged,
      }),
      engineProblem: () => this.#watch.problem,
      welcome: (message) => {
        this.#pulls.setRegistries(message.registries)
        this.#names.repeatProblems()
      },
      assignments: (message) => this.#supervisor.accept(message),
      policy: ({ policy }) => this.#traffic.setPolicy(policy),
      endpoints: (message) => this.#traffic.apply(message),
      streamOpen: (message) => this.#streams.open(message),
      streamClose: (stream) => this.#streams.close(stream),
      disconnected: () => this.#streams.closeAll(),
    } satisfies ConstructorParameters<typeof Session>[0]['handlers']
    const beats = new Beats(this.#deps, { ...settings, node: settings.identity.node })
    return new Session({ ...this.#deps, lease: this.#lease, beats, handlers }, settings)
  }

  #onChange(instances: ReadonlySet<string> | null): void {
    const { containers } = this.#watch
    const changed =
      instances === null
        ? containers.all()
        : [...instances].flatMap((id) => [...containers.ofInstance(id)])
    this.#limits.follow(changed)
    if (instances === null) {
      // The engine may have been away: what was made there may be gone.
      this.#networks.forget()
      this.#ensureNetworks()
      if (this.#signal) void this.#learnFacts(this.#signal)
      this.#supervisor.markAll()
      return
    }
    for (const instance of instances) this.#supervisor.markInstance(instance)
  }

  /** What waits for its start has the network, and the address of discovery on it, from when it was made. */
  #onNetworkRemoved(network: string): void {
    this.#networks.forgetOne(network)
    this.#ensureNetworks()
    this.#supervisor.discardWaiting(
      ({ labels }) => network === networkOfLabels(labels),
      `somebody has removed the network ${network}`,
    )
  }

  /** Discovery has to be there for containers that were made before this process began, too. */
  #ensureNetworks(): void {
    for (const { assignment } of this.#store.all.values()) {
      const { environment } = splitServiceKey(assignment.service)
      this.#networks.ensure(environment, assignment.template.zone).catch(() => {})
    }
  }

  /** The engine has few addresses for networks: those of environments that have gone are given back. */
  #sweepNetworks(signal: AbortSignal): void {
    this.#deps.clock.after(sweepMs, () => {
      if (signal.aborted) return
      const all = [...this.#store.all.values()].map(({ assignment }) => {
        const { environment } = splitServiceKey(assignment.service)
        return networkName(environment, assignment.template.zone)
      })
      if (this.#watch.isReady) void this.#networks.sweep(new Set(all))
      this.#sweepNetworks(signal)
    })
  }

  /** What the engine is decides what fits on the node; until it says so, its last answer has to do. */
  async #learnFacts(signal: AbortSignal): Promise<void> {
    const { clock, engine } = this.#deps
    while (!signal.aborted) {
      const report = await engine.facts().catch(() => null)
      if (report !== null) return this.#takeFacts(report)
      await sleep(clock, factsRetryMs, signal).catch(() => {})
    }
  }

  #takeFacts(report: EngineReport): void {
    const isNews = canonicalJson(report) !== canonicalJson(this.#report)
    this.#report = report
    this.#journal.put('engine', report)
    // Facts travel at the beginning of a session only.
    if (isNews && this.#session.isConnected) this.#session.reconnect()
  }
}
