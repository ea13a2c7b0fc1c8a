import { BulkheadError, wireVersion, type BeatKey, type Clock, type FromAgentMessage, type InstanceReport, type NodeFacts, type RegistryAccess } from '@bulkhead/shared'

import type { NetworkConfig, NodesConfig } from '../config/config.ts'
import type { Tables } from '../discovery/tables.ts'
import type { Logger } from '../logger.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import type { Vault } from '../secrets/vault.ts'
import type { State } from '../state/state.ts'
import type { Commit } from '../state/view.ts'
import { Beats } from './beats.ts'
import { Audiences } from './audiences.ts'
import { closeCodes, type Connection } from './connection.ts'
import { applyInventory, applyReports, endUntold, untoldOf } from './core/apply-reports.ts'
import { deltasOf, fullSet } from './core/assignments.ts'
import { isAstray } from './core/astray.ts'
import { sameClock, type HostClock } from './core/host-clock.ts'
import { sameMembers } from './core/same-members.ts'
import { EndpointPushes } from './endpoint-pushes.ts'
import { PolicyPushes } from './policy-pushes.ts'
import { SecondAgents } from './second-agents.ts'
import { SecretPushes } from './secret-pushes.ts'
import { Session, type SessionHandlers } from './session.ts'
import { TrafficCounts } from './traffic-counts.ts'
import { Withdrawals } from './withdrawals.ts'
import { takeFacts } from './take-facts.ts'

export interface HubDeps {
  readonly state: State
  readonly monitor: NodeMonitor
  readonly tables: Tables
  readonly clock: Clock
  readonly config: NodesConfig
  readonly network: NetworkConfig
  readonly registries: readonly RegistryAccess[]
  readonly logger: Logger
  /** What opens secrets for nodes that need them. */
  readonly vault?: Vault | undefined
  /** Hears what the proxies of nodes have sent to instances. */
  readonly onTraffic?: (instances: Extract<FromAgentMessage, { kind: 'traffic' }>['instances']) => void
}

/**
 * All sessions: at most one per node once it has said hello. A newer one of the same agent ends an older one; another
 * agent with the identity of one that is still heard is refused.
 */
export class Hub implements SessionHandlers {
  readonly beats: Beats
  readonly traffic: TrafficCounts
  readonly #deps: HubDeps
  readonly #sessions = new Map<string, Session>()
  /** Those that have not said hello yet. */
  readonly #unknown = new Set<Session>()
  readonly #secondAgents: SecondAgents
  /** Of nodes that have had a session: a new one must not see all times a little differently. */
  readonly #hostClocks = new Map<string, HostClock>()
  readonly #audiences = new Audiences()
  readonly #pushes: EndpointPushes
  readonly #policies: PolicyPushes
  readonly #secrets: SecretPushes | null
  readonly #withdrawals: Withdrawals

  constructor(deps: HubDeps) {
    this.#deps = deps
    const { state, monitor, tables, clock, network } = deps
    const sessions = (): Iterable<Session> => this.#synced()
    this.beats = new Beats(monitor)
    this.#secondAgents = new SecondAgents(deps)
    this.traffic = new TrafficCounts(state.view)
    this.#pushes = new EndpointPushes({ view: state.view, tables, clock, audiences: this.#audiences, onSent: () => this.#withdrawals.look() })
    tables.listen((touched) => this.#pushes.take(touched))
    this.#policies = new PolicyPushes({ view: state.view, clock, network, sessions })
    const { vault } = deps
    this.#secrets = vault ? new SecretPushes({ view: state.view, clock, vault, sessions }) : null
    this.#withdrawals = new Withdrawals({
      ...deps,
      isPending: (service) => this.#pushes.isPending(service),
      tablesOf: (node) => {
        const session = this.get(node)
        return { sentRevision: session?.sentTablesRevision ?? null, servedRevision: session?.servedRevision ?? 0 }
      },
    })
  }

  /** A connection whose token proved that it is the node's agent. `beatKey`: what that agent signs its beats with. */
  open(node: string, connection: Connection, beatKey: BeatKey | null = null): Session {
    const { clock } = this.#deps
    const hostClock = this.#hostClocks.get(node) ?? sameClock
    const session = new Session(node, connection, this, { clock, hostClock, beatKey })
    this.#unknown.add(session)
    return session
  }

  closed(session: Session): void {
    if (this.#deps.state.view.nodes.has(session.node)) this.#hostClocks.set(session.node, session.hostClock)
    session.closed()
    this.#audiences.remove(session)
    this.#unknown.delete(session)
    if (this.#sessions.get(session.node) === session) this.#sessions.delete(session.node)
  }

  /** The session of a node whose agent is connected and up to date. */
  get(node: string): Session | undefined {
    const session = this.#sessions.get(node)
    return session?.phase === 'synced' ? session : undefined
  }

  /** Ends the node's session because the node was removed. */
  evict(node: string): void {
    this.#close(node, closeCodes.removed, 'the node was removed from the cluster')
    this.#hostClocks.delete(node)
    this.beats.forget(node)
    this.#secondAgents.forget(node)
  }

  /** Ends the node's session; its agent, if there is one, connects again. */
  disconnect(node: string, reason: string): void {
    this.#close(node, closeCodes.restarting, reason)
  }

  #close(node: string, code: number, reason: string): void {
    for (const session of this.#all()) if (session.node === node) session.close(code, reason)
  }

  *#all(): Iterable<Session> {
    yield* this.#sessions.values()
    yield* this.#unknown
  }

  closeAll(): void {
    for (const session of this.#all()) {
      session.close(closeCodes.restarting, 'the control plane is stopping')
    }
  }

  /** Takes in durable commits: tells every agent what changed for it. */
  follow(commits: readonly Commit[]): void {
    const last = commits.at(-1)
    if (!last) return
    this.#policies.follow(commits)
    this.#secrets?.follow(commits)
    this.#pushes.follow(commits)
    this.#withdrawals.follow(commits)
    for (const [node, { upserts, removes }] of deltasOf(this.#deps.state.view, commits)) {
      this.get(node)?.sendDelta(last.revision, upserts, removes)
    }
  }

  async onHello(session: Session, hello: Extract<FromAgentMessage, { kind: 'hello' }>): Promise<void> {
    const { logger } = this.#deps
    if (!this.#maySay(session, hello.facts)) return
    if (this.#secondAgents.isSecond(session, this.#sessions.get(session.node))) {
      await this.#secondAgents.refuse(session, hello.facts.address)
      return
    }
    this.#unknown.delete(session)
    this.#sessions.get(session.node)?.close(closeCodes.superseded, 'a newer connection of this node was opened')
    this.#sessions.set(session.node, session)
    await this.#takeFacts(session, hello.facts)
    if (session.phase !== 'opened') return
    const { offsetMs } = session.hostClock
    logger.info({ node: session.node, bootId: session.bootId }, 'agent connected')
    if (offsetMs !== 0) {
      logger.warn({ node: session.node, offsetMs }, 'the clock of the node differs from ours; its times are translated')
    }
    session.phase = 'greeted'
    this.#welcome(session)
  }

  async onFacts(session: Session, facts: NodeFacts): Promise<void> {
    if (this.#maySay(session, facts)) await this.#takeFacts(session, facts)
  }

  /** The join token said which zones it may serve; a session cannot say otherwise. */
  #maySay(session: Session, facts: NodeFacts): boolean {
    const joined = this.#deps.state.view.nodes.get(session.node)?.facts
    if (!joined || sameMembers(joined.zones, facts.zones)) return true
    session.close(closeCodes.badMessage, `it joined with zones ${joined.zones.join(', ')}: to change them, remove the node and join again`)
    return false
  }

  async #takeFacts({ node: name }: Session, facts: NodeFacts): Promise<void> {
    const { config, state } = this.#deps
    await state.write({ actor: `node:${name}` }, (tx) => {
      const node = tx.nodes.get(name)
      if (node) takeFacts(tx, node, facts, config.allowUnenforced)
    })
  }

  async onInventory(
    session: Session,
    { reports, unmanaged, isPartial }: Extract<FromAgentMessage, { kind: 'inventory' }>,
  ): Promise<void> {
    const { state, monitor, logger } = this.#deps
    await state.write({ actor: `node:${session.node}` }, (tx) => {
      applyInventory(tx, session.node, reports, isPartial)
    })
    if (session.phase !== 'greeted') return
    session.phase = 'synced'
    const facts = state.view.nodes.get(session.node)?.facts
    if (facts) this.#audiences.add(session, facts)
    // From here on its lease runs again: what was given away before is missing from the set that follows.
    monitor.answered(session.node)
    if (session.beatKey) this.beats.synced(session.node, session.bootId, session.beatKey)
    await this.#sendFullSet(session, isPartial ? null : reports)
    this.#policies.tell(session)
    this.#secrets?.begin(session)
    this.#pushes.sendAll(session)
    logger.info({ node: session.node, instances: reports.length, unmanaged }, 'inventory taken')
  }

  async onStatus(
    session: Session,
    { reports }: Extract<FromAgentMessage, { kind: 'status' }>,
  ): Promise<void> {
    const { state, monitor } = this.#deps
    monitor.heard(session.node)
    await state.write({ actor: `node:${session.node}` }, (tx) => {
      applyReports(tx, session.node, reports)
    })
    if (isAstray(this.#deps.state.view, session.node, reports)) await this.#sendFullSet(session)
  }

  onHeartbeat(session: Session): void {
    const { monitor } = this.#deps
    // Its exclusive instances may have been given away, of which this session has not told it.
    if (monitor.isLeaseOver(session.node)) {
      session.close(closeCodes.restarting, 'nothing was heard for longer than the lease; connect again')
      return
    }
    monitor.answered(session.node)
    monitor.heard(session.node)
  }

  onEngine(session: Session, problem: string): void {
    this.#deps.monitor.heard(session.node, problem)
  }

  /** What it missed may have been given up since: only a new inventory tells what there is of it. */
  onResync(session: Session, reason: string): void {
    this.#deps.logger.warn({ node: session.node, reason }, 'an agent has missed a change')
    session.close(closeCodes.restarting, 'a change was missed; connect again')
  }

  onEndpointsApplied(): void {
    this.#withdrawals.look()
  }

  async onNotice(session: Session, { action, reason }: Extract<FromAgentMessage, { kind: 'notice' }>): Promise<void> {
    await this.#deps.state.write({ actor: `node:${session.node}` }, (tx) => {
      tx.event({ kind: 'Node', subject: session.node, action, reason })
    })
  }

  onTraffic(_session: Session, traffic: Extract<FromAgentMessage, { kind: 'traffic' }>): void {
    this.traffic.take(traffic)
    this.#deps.onTraffic?.(traffic.instances)
  }

  onProblem(session: Session, error: unknown): void {
    this.#deps.logger.error({ node: session.node, error }, 'a message of an agent could not be handled')
    const isOurs = error instanceof BulkheadError && error.code === 'store-failed'
    if (isOurs) this.#deps.monitor.excuse()
    session.close(closeCodes.restarting, 'the control plane could not handle a message; connect again')
  }

  /**
   * Only what is durable leaves this process: an agent must never act on what a full disk takes back. What became
   * durable while the full set waited for the disk follows it as a delta. `inventory`: all that the agent has.
   */
  async #sendFullSet(session: Session, inventory: readonly InstanceReport[] | null = null): Promise<void> {
    const { state } = this.#deps
    const { node } = session
    session.holdDeltas()
    const { revision, upserts, untold } = await state.read((view) => ({
      revision: view.revision,
      upserts: fullSet(view, node),
      untold: inventory ? untoldOf(view, node, inventory) : [],
    }))
    const since = state.feed.since(revision)
    if (since === 'gone') {
      session.close(closeCodes.restarting, 'the full set was overtaken by too many changes; connect again')
      return
    }
    session.sendFullSet(revision, upserts)
    const delta = deltasOf(state.view, since).get(node)
    if (delta) session.sendDelta(state.feed.revision, delta.upserts, delta.removes)
    if (untold.length > 0) await state.write({ actor: `node:${node}` }, (tx) => endUntold(tx, untold))
  }

  #welcome(session: Session): void {
    const { state, config, registries } = this.#deps
    session.send({
      kind: 'welcome',
      wireVersion,
      cluster: state.view.cluster,
      node: session.node,
      heartbeatMs: config.heartbeatMs,
      leaseMs: config.leaseMs,
      registries: [...registries],
    })
  }

  *#synced(): Iterable<Session> {
    for (const session of this.#sessions.values()) if (session.phase === 'synced') yield session
  }
}
