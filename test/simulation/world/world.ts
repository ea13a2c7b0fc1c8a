import type { AgentDeps } from '../../../packages/agent/src/index.ts'
import { makeConfig, type Config } from '../../../packages/controlplane/src/config/config.ts'
import type { State } from '../../../packages/controlplane/src/state/state.ts'
import type { Commit } from '../../../packages/controlplane/src/state/view.ts'
import { invariants } from '../invariants/all.ts'
import type { Invariant } from '../invariants/invariant.ts'
import { Random } from '../random.ts'
import { Records } from '../records.ts'
import type { OperatorStep, Scenario, Step } from '../scenario/scenario.ts'
import { Timeline } from '../timeline.ts'
import { SimControlPlane } from './control-plane.ts'
import { Faults } from './faults.ts'
import { Host } from './host.ts'
import { Network } from './network.ts'
import { SimNode } from './node.ts'
import { Operator } from './operator.ts'
import { Schedule } from './schedule.ts'
import { StoreDisk } from './store.ts'

export interface Violation {
  readonly invariant: string
  readonly text: string
  readonly atMs: number
}

const joinRetryMs = 500
const rejoinMs = 5000
const requestsEveryMs = 1000
const requestsAtOnce = 20

const operatorKinds: ReadonlySet<string> = new Set<OperatorStep['kind']>([
  'apply',
  'upgrade',
  'change',
  'scale',
  'undo',
  'pause',
  'resume',
  'promote',
  'restart',
  'delete',
  'drain',
  'cordon',
  'uncordon',
  'remove',
  'confirm-dead',
  'label',
])

/** A cluster in one process: machines, network, disks, programs, and who watches over them. */
export class World {
  readonly scenario: Scenario
  readonly schedule = new Schedule()
  readonly timeline: Timeline
  readonly records = new Records()
  readonly storeDisk = new StoreDisk()
  readonly config: Config = makeConfig(
    { images: { registries: [] }, ports: { range: '20000-20099' } },
    {},
  )
  readonly network: Network
  readonly controlHost: Host
  readonly controlPlane: SimControlPlane
  readonly nodes: readonly SimNode[]
  readonly operator: Operator
  readonly faults: Faults
  readonly invariants: readonly Invariant[]
  /** Of the invariants that look at every event. */
  readonly #eventHooks: readonly (() => void)[]
  /** The first promise that was broken. */
  violation: Violation | null = null
  /** No more steps: everything is mended, and what is wanted is final. */
  calm = false
  /** Until when the control plane's machine, program or disk is in trouble, as far as is known. */
  controlTroubledAtMs = 0
  /** Commits, and calls that change something on an engine. */
  changes = 0
  /** How often each promise had something to judge, and what operators have done. */
  readonly counts = new Map<string, number>()
  /** Instances that something other than ourselves has harmed. */
  readonly #spoiled = new Map<string, number>()

  constructor(scenario: Scenario, keepsTimeline: boolean) {
    this.scenario = scenario
    const { schedule } = this
    this.timeline = new Timeline(() => schedule.nowMs, keepsTimeline)
    const { seed } = scenario
    this.network = new Network(schedule, Random.of(seed, 'loss'), (line) => this.timeline.trace(line))
    this.controlHost = new Host('control', schedule, Random.of(seed, 'control host'))
    this.controlPlane = new SimControlPlane({
      host: this.controlHost,
      schedule,
      disk: this.storeDisk,
      config: this.config,
      random: Random.of(seed, 'control plane'),
      logger: (process) => this.#logger(process),
      onBoot: (state) => this.#onBoot(state),
      onCommit: (commit) => this.#onCommit(commit),
      onFatal: (error) =>
        this.fail('no-fault-of-ours', `the control plane gave up its store: ${error.message}`),
    })
    this.nodes = scenario.nodes.map(
      (plan) =>
        new SimNode(plan, {
          schedule,
          network: this.network,
          controlPlane: this.controlPlane,
          random: Random.of(seed, `node ${plan.name}`),
          logger: (process) => this.#logger(process) as unknown as AgentDeps['logger'],
          onDeath: (node, error) =>
            this.fail('no-fault-of-ours', `the agent of ${node.name} ended: ${String(error)}`),
          onEngineCall: (node, call, container) => this.#onEngineCall(node, call, container),
        }),
    )
    this.operator = new Operator({
      controlPlane: this.controlPlane,
      tell: (line) => this.timeline.tell(line),
      onAcknowledged: (acknowledged) => {
        this.count(`done ${acknowledged.step.kind}`)
        for (const invariant of this.invariants) invariant.onAcknowledged?.(acknowledged)
      },
      onRemoved: (node) => this.#onRemoved(node),
      onBug: (text) => this.fail('no-fault-of-ours', text),
    })
    this.faults = new Faults(this)
    this.invariants = invariants.map((make) => make(this))
    this.#eventHooks = this.invariants.flatMap((one) => (one.onEvent ? () => one.onEvent?.() : []))
  }

  begin(): void {
    this.controlPlane.start()
    for (const node of this.nodes) void this.#join(node)
    if (this.scenario.steps.some((step) => step.kind === 'apply' && (step.source.update?.strategy ?? 'rolling') !== 'rolling')) {
      this.#sendRequests()
    }
    for (const step of this.scenario.steps) {
      this.schedule.at(step.atMs, `step ${step.kind}`, () => this.#take(step))
    }
  }

  fail(invariant: string, text: string): void {
    if (this.violation !== null) return
    this.violation = { invariant, text, atMs: this.schedule.nowMs }
    this.timeline.tell(`VIOLATION of ${invariant}: ${text}`)
  }

  isOperatorKind(kind: string): boolean {
    return operatorKinds.has(kind)
  }

  /** Something is held against a promise, or has been done: for the census. */
  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1)
  }

  nodeOf(name: string): SimNode | undefined {
    return this.nodes.find((node) => node.name === name)
  }

  spoil(instance: string): void {
    this.#spoiled.set(instance, this.schedule.nowMs)
  }

  isSpoiled(instance: string): boolean {
    return this.#spoiled.has(instance)
  }

  /** Clients on every node send requests through its proxy, again and again, and the agents tell how they went. */
  #sendRequests(): void {
    this.schedule.after(requestsEveryMs, 'requests', () => this.#sendRequests())
    for (const node of this.nodes) {
      const random = Random.of(this.scenario.seed, `requests ${node.name} ${this.schedule.nowMs}`)
      const sent = node.proxy.spread(requestsAtOnce, random)
      const told = [...sent].map(([instance, requests]) => {
        const record = this.records.instance.get(instance)
        const image = record && this.records.revisionOf(record)?.spec.image
        const errors = image?.includes('failing') ? requests : 0
        return { instance, requests, errors, connections: requests, bytesIn: 0, bytesOut: 0 }
      })
      if (told.length > 0) node.tellTraffic(told)
    }
  }

  afterEvent(): void {
    for (const onEvent of this.#eventHooks) onEvent()
  }

  #take(step: Step): void {
    if (operatorKinds.has(step.kind)) void this.operator.perform(step as OperatorStep)
    else this.faults.befall(step as Parameters<Faults['befall']>[0])
  }

  /** Again and again until it is done, as the script that sets up a machine does. */
  async #join(node: SimNode): Promise<void> {
    const again = (): void =>
      void this.schedule.after(joinRetryMs, `${node.name} joins`, () => void this.#join(node))
    const { running } = this.controlPlane
    if (!running || !node.host.up) return again()
    running.state.settled().catch(() => {})
    const retry = this.schedule.after(
      10 * joinRetryMs,
      `${node.name} joins`,
      () => void this.#join(node),
    )
    const token = await this.controlPlane.join(node.name, node.facts)
    retry.cancelled = true
    if (token === null) return again()
    node.token = token
    node.cluster = running.state.view.cluster
    this.timeline.tell(`${node.name} has joined`)
    node.startAgent()
  }

  /** Its agent is set up anew, as on a fresh data directory; its containers are still there. */
  #onRemoved(name: string): void {
    const node = this.nodeOf(name)
    if (!node) return
    this.schedule.after(rejoinMs, `${name} is set up anew`, () => {
      if (node.token === null || this.records.node.has(name)) return
      node.silence(0)
      node.killAgent()
      node.disk.wipe()
      node.token = null
      void this.#join(node)
    })
  }

  #onBoot(state: State): void {
    this.timeline.tell(`the control plane has started at revision ${state.view.revision}`)
    for (const invariant of this.invariants) invariant.onBoot?.(state.view)
    this.records.load(state.view)
    // Whoever removed them may have had no answer.
    for (const { name, token } of this.nodes) {
      if (token !== null && !this.records.node.has(name)) this.#onRemoved(name)
    }
  }

  #onCommit(commit: Commit): void {
    this.changes += 1
    for (const { kind, subject, actor, action, reason } of commit.events) {
      this.timeline.tell(`r${commit.revision} ${kind} ${subject} ${action} by ${actor}: ${reason}`)
    }
    for (const invariant of this.invariants) invariant.beforeCommit?.(commit)
    this.records.take(commit)
    for (const invariant of this.invariants) invariant.onCommit?.(commit)
  }

  #onEngineCall(node: SimNode, call: string, container: string): void {
    const isLook = ['ping', 'list', 'inspect', 'facts', 'events', 'logs'].includes(call)
    if (isLook) return this.timeline.trace(`${node.name} ${call} ${container}`)
    this.changes += 1
    const instance = node.engine.containers.get(container)?.info.name ?? ''
    this.timeline.tell(`${node.name} engine: ${call} ${container} ${instance}`)
    for (const invariant of this.invariants) invariant.onEngineCall?.(node, call, container)
  }

  #logger(
    process: string,
  ): Record<'debug' | 'info' | 'warn' | 'error', (fields: object, text?: string) => void> {
    const log = (level: string) => (fields: object | string, text?: string) => {
      const message = typeof fields === 'string' ? fields : (text ?? '')
      const data = typeof fields === 'string' ? {} : fields
      const line = (): string =>
        `${process} ${level}: ${message} ${JSON.stringify(data, errorsAsText)}`
      if (level === 'debug') return
      this.timeline.tell(line())
      for (const invariant of this.invariants) invariant.onLog?.(level, message, data)
    }
    return { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') }
  }
}

const errorsAsText = (_key: string, value: unknown): unknown =>
  value instanceof Error ? String(value) : value
