import { type NodeFacts, sleep } from '@bulkhead/shared'

import type { AgentDeps, AgentSettings } from './agent-deps.ts'
import { Askers, type FindAsker } from './askers.ts'
import { CpuLimits } from './cpu-limits.ts'
import { answer } from './discovery/answer.ts'
import { ensureNetworks, networkOfLabels, networksInUse } from './discovery/networks-in-use.ts'
import { Networks } from './discovery/networks.ts'
import { NameService } from './dns/name-service.ts'
import { Drains } from './drains.ts'
import { EngineWatch } from './engine/engine-watch.ts'
import { Pulls } from './engine/pulls.ts'
import { Executor } from './execute.ts'
import { noteFailure } from './failure-notice.ts'
import { ProbeRunner } from './health/probe-runner.ts'
import { ProbeSync } from './health/probe-sync.ts'
import { Journal } from './journal/journal.ts'
import { LineageStore } from './lineage-store.ts'
import { Guard } from './network/guard.ts'
import { FactsKeeper } from './node/facts-keeper.ts'
import { proxyNode } from './proxy/core/make-config.ts'
import { ProxyService, type ProxyServiceDeps } from './proxy/proxy-service.ts'
import { restoreFrom } from './restore.ts'
import { Beats } from './session/beats.ts'
import { LeaseKeeper } from './session/lease-keeper.ts'
import { Session } from './session/session.ts'
import { Streams } from './session/streams.ts'
import { Supervisor } from './supervisor.ts'
import { TrafficKeeper } from './traffic/keeper.ts'

const firstListMs = 3000
const sweepMs = 60_000

/** One node's agent: everything but the process around it. */
export class Agent {
  readonly #deps: AgentDeps
  readonly #settings: AgentSettings
  readonly #journal: Journal
  readonly #proxy: ProxyService | null
  readonly #traffic: TrafficKeeper
  readonly #watch: EngineWatch
  readonly #limits: CpuLimits
  readonly #names: NameService
  readonly #networks: Networks
  readonly #guard: Guard
  readonly #facts: FactsKeeper
  readonly #pulls: Pulls
  readonly #runner: ProbeRunner
  readonly #store: LineageStore
  readonly #supervisor: Supervisor
  readonly #streams: Streams
  readonly #session: Session
  readonly #lease: LeaseKeeper
  #signal: AbortSignal | null = null

  constructor(deps: AgentDeps, settings: AgentSettings) {
    this.#deps = deps
    this.#settings = settings
    const { identity } = settings
    this.#journal = new Journal(deps)
    const journal = this.#journal
    this.#guard = this.#makeGuard()
    this.#facts = this.#makeFacts()
    this.#proxy = this.#makeProxy()
    this.#names = this.#makeNames()
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
    this.#networks = this.#makeNetworks(findAsker)
    const networks = this.#networks
    const pulls = this.#pulls
    const protect = (isExclusive: boolean) => this.#guard.protect(isExclusive)
    const executor = new Executor({ ...deps, ...settings, watch, networks, pulls, protect })
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
      fence: this.#guard.fence,
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
      drains: new Drains({
        ...deps,
        onQuiet: (instance) => this.#supervisor.markInstance(instance),
      }),
      onFailure: (lineage, failed) =>
        noteFailure({ ...deps, store: this.#store, outbox: this.#session.outbox }, lineage, failed),
      onRemoved: (report) => this.#session.outbox.putLast(report),
      farewell: (instance) => this.#session.outbox.farewell(instance),
      preparedLimit: settings.preparedSuccessors,
    })
    this.#session = this.#makeSession()
    this.#streams = this.#makeStreams()
  }

  /** Until `signal` is aborted. Containers run on then. */
  async run(signal: AbortSignal): Promise<void> {
    const restored = restoreFrom(await this.#journal.load(), this.#deps.logger)
    for (const lineage of restored.lineages) this.#store.restore(lineage)
    for (const [name, port] of restored.ports) this.#networks.restorePort(name, port)
    for (const bridge of restored.bridges) this.#networks.restoreBridge(bridge)
    this.#names.restore(restored.bridges)
    this.#traffic.restore(restored.tables, restored.policy)
    if (restored.lease) this.#lease.restore(restored.lease)
    this.#facts.restore(restored.engine)
    this.#signal = signal
    this.#supervisor.run(signal)
    this.#sweepNetworks(signal)
    const guarding = this.#guard.run(signal)
    const serving = [this.#proxy?.run(signal), this.#names.run(signal)]
    const watching = this.#watch.run(signal)
    const ready = Promise.all([this.#facts.learn(signal), this.#watch.listed])
    void this.#watch.listed.then(() => this.#session.completed())
    // So that what is said first is complete; an engine that is down must not keep the agent from saying so.
    await Promise.race([ready, sleep(this.#deps.clock, firstListMs)])
    await Promise.all([watching, guarding, ...serving, this.#session.run(signal)])
    // What runs on stays guarded.
    if (this.#store.all.size === 0) await this.#guard.firewall.remove()
    this.#runner.close()
    this.#lease.close()
    this.#streams.closeAll()
    await this.#networks.close()
    await this.#journal.close()
  }

  #makeStreams(): Streams {
    const { containers } = this.#watch
    return new Streams({
      ...this.#deps,
      findContainer: (instance) => containers.ofInstance(instance)[0]?.id ?? null,
      send: (message) => this.#session.send(message),
      bufferedBytes: () => this.#session.bufferedBytes,
    })
  }

  #makeGuard(): Guard {
    const parts = () => {
      return {
        store: this.#store,
        watch: this.#watch,
        networks: this.#networks,
        session: this.#session,
      }
    }
    return new Guard({ ...this.#deps, parts, onNews: () => this.#onFacts() }, this.#settings)
  }

  #makeFacts(): FactsKeeper {
    return new FactsKeeper({ ...this.#deps, journal: this.#journal, onNews: () => this.#onFacts() })
  }

  /** What of the facts decides about placement is told at the beginning of a session. */
  #onFacts(): void {
    if (this.#session.isConnected) this.#session.reconnect()
  }

  #factsNow(): NodeFacts {
    const problems = { zones: this.#guard.enforcement.reason, names: this.#names.problem }
    return this.#settings.facts(this.#facts.report, problems)
  }

  #makeProxy(): ProxyService | null {
    const { proxy } = this.#deps
    if (proxy === null) return null
    const { edgeAddresses } = this.#settings
    const node = () => proxyNode(this.#factsNow(), edgeAddresses)
    const send: ProxyServiceDeps['send'] = (message) => this.#session.send(message)
    const onServed = () => void this.#names.refresh()
    return new ProxyService({ ...this.#deps, ...proxy, node, send, onServed })
  }

  #makeTraffic(): TrafficKeeper {
    return new TrafficKeeper({
      ...this.#deps,
      gate: this.#deps.kernel ? this.#guard.firewall : null,
      consumers: [...this.#deps.consumers, ...(this.#proxy ? [this.#proxy] : [])],
      names: this.#names,
      journal: this.#journal,
      onServed: (revision) => this.#session.send({ kind: 'endpoints-applied', revision }),
    })
  }

  #makeNames(): NameService {
    const { names: serving, servesAddresses } = this.#deps
    const { dnsForward: forwarding, resolvConf } = this.#settings
    const addresses = () => ({
      isServing: servesAddresses(),
      withIpv6: this.#proxy?.withIpv6 ?? true,
    })
    const onNews = (): void => this.#session.tellFacts()
    return new NameService({ ...this.#deps, serving, addresses, forwarding, resolvConf, onNews })
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
      protect: () => this.#guard.protect(),
      onBridge: (bridge) => void this.#guard.onBridge(bridge),
    })
  }

  #makeSession(): Session {
    const settings = this.#settings
    const handlers = {
      facts: () => this.#factsNow(),
      inventory: () => ({
        reports: this.#supervisor.inventory(),
        unmanaged: this.#watch.unmanaged,
        isPartial: !this.#watch.hasListed,
      }),
      engineProblem: () => this.#watch.problem,
      mayRenew: () => this.#supervisor.mayRenew(),
      welcome: (message) => this.#pulls.setRegistries(message.registries),
      assignments: (message) => this.#supervisor.accept(message),
      secrets: ({ secrets }) =>
        void this.#proxy?.setSecrets(secrets, () => this.#traffic.refresh()),
      policy: ({ policy }) => {
        this.#traffic.setPolicy(policy)
        this.#guard.heard()
      },
      endpoints: (message) => this.#traffic.apply(message),
      streamOpen: (message) => this.#streams.open(message),
      streamClose: (stream) => this.#streams.close(stream),
      removed: () => void Promise.all([this.#proxy?.leave(), this.#names.leave()]),
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
      void this.#guard.firewall.check()
      this.#networks.forget()
      ensureNetworks(this.#store.all, this.#networks)
      if (this.#signal) void this.#facts.learn(this.#signal)
      this.#supervisor.markAll()
      return
    }
    for (const instance of instances) this.#supervisor.markInstance(instance)
  }

  /** What waits for its start has the network, and the address of discovery on it, from when it was made. */
  #onNetworkRemoved(network: string): void {
    void this.#guard.firewall.check()
    this.#guard.onNetworkRemoved(network)
    this.#networks.forgetOne(network)
    ensureNetworks(this.#store.all, this.#networks)
    this.#supervisor.discards.waiting(
      ({ labels }) => network === networkOfLabels(labels),
      `somebody has removed the network ${network}`,
    )
  }

  /** The engine has few addresses for networks: those of environments that have gone are given back. */
  #sweepNetworks(signal: AbortSignal): void {
    this.#deps.clock.after(sweepMs, () => {
      if (signal.aborted) return
      if (this.#watch.isReady) void this.#networks.sweep(networksInUse(this.#store.all))
      this.#sweepNetworks(signal)
    })
  }
}
