import Type, { type Static } from 'typebox'

import type { InstanceId, NodeName, ServiceKey } from '../ids.ts'

/** In the order in which an instance can pass through them; it never goes back. */
export const instanceStates = [
  'pending',
  'assigned',
  'pulling',
  'created',
  'starting',
  'running',
  'draining',
  'stopping',
  'stopped',
  'failed',
  'lost',
] as const
export type InstanceState = (typeof instanceStates)[number]
export const InstanceState = Type.Enum(instanceStates)

export const healthStates = ['unknown', 'starting', 'healthy', 'unhealthy'] as const
export type HealthState = (typeof healthStates)[number]
export const HealthState = Type.Enum(healthStates)

/**
 * What the agent alone writes. Times are wall-clock milliseconds, on the wire of the agent's host and in records of
 * the control plane, which translates them; null: not yet.
 */
export const Observed = Type.Object({
  state: InstanceState,
  health: HealthState,
  /** Why it is in this state, for people: a whole clause with the cause. */
  reason: Type.String(),
  containerId: Type.Union([Type.String(), Type.Null()]),
  startedAtMs: Type.Union([Type.Number(), Type.Null()]),
  /** Since when health has been `healthy` without a break. */
  healthySinceMs: Type.Union([Type.Number(), Type.Null()]),
  finishedAtMs: Type.Union([Type.Number(), Type.Null()]),
  exitCode: Type.Union([Type.Integer(), Type.Null()]),
  /** True when the container never ran: the image, a port, the engine or the disk stood in the way. */
  neverStarted: Type.Boolean(),
})
export type Observed = Static<typeof Observed>

/**
 * One container's life. `observed` belongs to the agent, everything else to the control plane; `node` is null
 * only while the instance is pending, is set once, and then never changes.
 */
export interface Instance {
  readonly id: InstanceId
  readonly service: ServiceKey
  readonly slot: number
  readonly revision: number
  readonly node: NodeName | null
  readonly desired: 'run' | 'stop'
  /** Why `desired` is what it is, or why it is still pending. */
  readonly cause: string
  /**
   * The order to stop it is held back until traffic has left it, at the latest until this wall-clock time; null:
   * there is nothing to wait for.
   */
  readonly withdrawDueAtMs: number | null
  /** Set when the control plane gave it up with its node: it is superseded, and removed when the node is back. */
  readonly lostAtMs: number | null
  /** Host ports by port name. */
  readonly hostPorts: Readonly<Record<string, number>>
  /** The instance that it replaces in its slot because that one failed; null for a fresh one. */
  readonly predecessor: InstanceId | null
  /** How many failures in a row, each within `restart.resetAfter`, led to this instance. */
  readonly attempt: number
  /** Not started before this wall-clock time: the back-off. */
  readonly startAtMs: number
  readonly createdAtMs: number
  readonly observed: Observed
}

export const unobserved: Observed = {
  state: 'assigned',
  health: 'unknown',
  reason: '',
  containerId: null,
  startedAtMs: null,
  healthySinceMs: null,
  finishedAtMs: null,
  exitCode: null,
  neverStarted: false,
}

/** The one state that people see, from what control plane and agent each know. */
export function stateOf(instance: Instance): InstanceState {
  if (instance.lostAtMs !== null) return 'lost'
  if (instance.node === null) return instance.desired === 'stop' ? 'stopped' : 'pending'
  const { state } = instance.observed
  return state === 'running' && isWithdrawing(instance) ? 'draining' : state
}

/** True while it is to stop, and its agent has not been told because traffic has yet to leave it. */
export function isWithdrawing(instance: Instance): boolean {
  return instance.desired === 'stop' && typeof instance.withdrawDueAtMs === 'number'
}

/** True once the container is certain to be gone: nothing more can happen to the instance. */
export function isGone(instance: Instance): boolean {
  if (instance.node === null) return instance.desired === 'stop'
  return instance.observed.state === 'stopped' || instance.observed.state === 'failed'
}

/** True for an instance that serves its slot: wanted, not given up, not ended. */
export function isLive(instance: Instance): boolean {
  return instance.desired === 'run' && instance.lostAtMs === null && !isGone(instance)
}

/** True when the instance can be sent traffic, as far as its own agent last said. */
export function isHealthy(instance: Instance): boolean {
  return (
    instance.lostAtMs === null &&
    instance.observed.state === 'running' &&
    instance.observed.health === 'healthy'
  )
}

/** Whether a status in state `next` may follow `current`: forward only. */
export function mayFollow(current: InstanceState, next: InstanceState): boolean {
  if (current === 'stopped' || current === 'failed') return false
  return instanceStates.indexOf(next) >= instanceStates.indexOf(current)
}
