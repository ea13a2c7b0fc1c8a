import {
  isGone,
  isLive,
  type Instance,
  type Node,
  type Observed,
  type Service,
  type ServiceSource,
} from '@bulkhead/shared'

import { tableOf } from '../../src/discovery/core/endpoints.ts'
import { applySteps } from '../../src/reconcile/apply-steps.ts'
import type { ReconcileContext } from '../../src/reconcile/core/context.ts'
import { reconcile } from '../../src/reconcile/core/reconcile.ts'
import type { Step } from '../../src/reconcile/core/step.ts'
import { MemoryState } from './memory-state.ts'
import { aNode, apply, portRange } from './records.ts'

type Source = Partial<ServiceSource> & { readonly name: string }

/**
 * A small cluster that does only what a test tells it to. Services are in the default environment.
 */
export class Scene {
  readonly state = new MemoryState()
  movesLeft = 0
  dueAtMs: number | null = null
  readonly leaseEndsAtMs = new Map<string, number>()
  lacksRoom = false
  /** What the proxies say of each instance. */
  readonly traffic = new Map<string, { readonly requests: number; readonly errors: number }>()
  readonly #sources = new Map<string, Source>()

  /** `nodes`: names, or whole nodes. */
  constructor(...nodes: readonly (string | Node)[]) {
    for (const node of nodes) this.state.putNode(typeof node === 'string' ? aNode(node) : node)
  }

  get context(): ReconcileContext {
    const { nowMs, cluster: lineageSeed } = this.state
    const rebalance = { enabled: true, movesLeft: this.movesLeft }
    return {
      nowMs,
      lineageSeed,
      portRange,
      rebalance,
      leaseEndsAtMs: (node) => this.leaseEndsAtMs.get(node) ?? Infinity,
      trafficOf: (instances) => sumOf(instances.flatMap((id) => this.traffic.get(id) ?? [])),
    }
  }

  /** Applies what differs from the last time. */
  apply(change: Source): void {
    const source = { ...this.#sources.get(change.name), ...change }
    this.#sources.set(change.name, source)
    apply(this.state, source)
  }

  /** New containers of what is wanted. */
  restart(generation: number, name = 'web'): void {
    const source = this.#sources.get(name)
    if (source) apply(this.state, source, { generation, cause: 'restarted' })
  }

  service(name = 'web'): Service {
    const service = this.state.services.get(`default/${name}`)
    if (!service) throw new Error(`no service ${name}`)
    return service
  }

  /** One round: what was decided is done. */
  round(name = 'web'): readonly Step[] {
    const key = `default/${name}`
    const { steps, dueAtMs, lacksRoom } = reconcile(this.state, key, this.context)
    this.dueAtMs = dueAtMs
    this.lacksRoom = lacksRoom
    applySteps(this.state, key, steps)
    return steps
  }

  /** Rounds until nothing more is decided; all their steps. */
  settle(name = 'web'): readonly Step[] {
    const all: Step[] = []
    for (let count = 0; count < 20; count++) {
      const steps = this.round(name)
      if (steps.length === 0) return all
      all.push(...steps)
    }
    throw new Error('no fixed point')
  }

  /** Agents that are heard do what they are told, at once and with success. */
  agents(): void {
    for (const instance of this.state.instances.values()) {
      const node = this.state.nodes.get(instance.node ?? '')
      if (node?.liveness !== 'ready' || isGone(instance)) continue
      if (!isLive(instance)) this.observe(instance.id, { state: 'stopped', health: 'unknown' })
      else if (instance.observed.health !== 'healthy') this.healthy(instance.id)
    }
  }

  /** Lets everything come to rest: agents, reconciler and time in turns. */
  rest(...names: readonly string[]): void {
    for (let count = 0; count < 60; count++) {
      const steps = (names.length > 0 ? names : ['web']).flatMap((name) => this.settle(name))
      this.agents()
      this.wait(6000)
      if (steps.length === 0 && count > 3) return
    }
    throw new Error('never at rest')
  }

  wait(ms: number): void {
    this.state.nowMs += ms
  }

  observe(id: string, change: Partial<Observed>): void {
    const instance = this.state.instances.get(id)
    if (!instance) throw new Error(`no instance ${id}`)
    this.state.putInstance({ ...instance, observed: { ...instance.observed, ...change } })
  }

  healthy(id: string): void {
    const { nowMs } = this.state
    const times = { startedAtMs: nowMs, healthySinceMs: nowMs }
    this.observe(id, { state: 'running', health: 'healthy', ...times })
  }

  failed(id: string, change: Partial<Observed> = {}): void {
    const finishedAtMs = this.state.nowMs
    const ended = { state: 'failed', health: 'unhealthy', healthySinceMs: null } as const
    this.observe(id, { ...ended, finishedAtMs, reason: 'exited with code 1', ...change })
  }

  node(name: string, change: Partial<Node>): void {
    const node = this.state.nodes.get(name)
    if (!node) throw new Error(`no node ${name}`)
    this.state.putNode({ ...node, ...change })
  }

  /** Weights of new traffic, by revision, of all instances that serve. */
  weights(name = 'web'): Readonly<Record<number, readonly number[]>> {
    const weights: Record<number, number[]> = {}
    for (const { instance, weight } of tableOf(this.state, `default/${name}`)?.endpoints ?? []) {
      const revision = this.state.instances.get(instance)?.revision ?? 0
      weights[revision] = [...(weights[revision] ?? []), weight]
    }
    return weights
  }

  /** Per cent of new traffic that the revision gets. */
  share(revision: number, name = 'web'): number {
    const weights = this.weights(name)
    const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)
    return (100 * sum(weights[revision] ?? [])) / sum(Object.values(weights).flat())
  }

  /** Live instances by slot. */
  live(name = 'web'): readonly Instance[] {
    return this.state.instancesOf(`default/${name}`).filter(isLive)
  }

  /** The only live instance of the slot. */
  in(slot: number, name = 'web'): Instance {
    const [instance, ...more] = this.live(name).filter((one) => one.slot === slot)
    if (!instance || more.length > 0) throw new Error(`not one live instance in slot ${slot}`)
    return instance
  }
}

function sumOf(all: readonly { readonly requests: number; readonly errors: number }[]) {
  const sum = { requests: 0, errors: 0 }
  for (const { requests, errors } of all) {
    sum.requests += requests
    sum.errors += errors
  }
  return sum
}

/** `create 0 n1`, `stop 0` …: what matters of steps in most tests, without status and rollout. */
export function brief(state: MemoryState, steps: readonly Step[]): readonly string[] {
  return steps.flatMap((step) => {
    if (step.kind === 'create') return `create ${step.slot} ${step.node ?? '-'}`
    if (step.kind === 'status' || step.kind === 'rollout') return []
    if (!('id' in step)) return step.kind
    const instance = state.instances.get(step.id)
    const slot = instance === undefined ? '' : ` ${instance.slot}`
    return step.kind === 'assign' ? `assign${slot} ${step.node}` : `${step.kind}${slot}`
  })
}

export const reasons = (steps: readonly Step[]): readonly string[] =>
  steps.flatMap((step) => ('reason' in step && step.kind !== 'status' ? step.reason : []))
