import {
  isGone,
  isHealthy,
  isLive,
  matchesSelector,
  nodeLabels,
  nodeState,
  parseSelector,
  resolveServiceName,
  type Instance,
  type Node,
  type ServiceKey,
} from '@bulkhead/shared'

import { tableOf } from '../../src/discovery/core/endpoints.ts'
import type { Step } from '../../src/reconcile/core/step.ts'
import type { Watcher, World } from './world.ts'

/** The promises, written down a second time and without any cleverness. */

const fail = (text: string): never => {
  throw new Error(text)
}

/** Throws when a hard rule forbids the instance where it has just been put. */
export function checkPlacement({ state }: World, instance: Instance): void {
  const node = state.nodes.get(instance.node ?? '') ?? fail(`${instance.id} on an unknown node`)
  const service = state.services.get(instance.service)
  const wanted = state.revisionOf(instance.service, service?.revision ?? 0)
  const revision = state.revisionOf(instance.service, instance.revision)
  if (!wanted || !revision) return fail(`${instance.id} of an unknown revision`)
  const where = `${instance.id} on ${node.name}`
  if (nodeState(node) !== 'ready') fail(`${where}, which is ${nodeState(node)}`)
  if (!node.facts.zones.includes(revision.spec.zone)) fail(`${where}: zone`)
  const { environments } = node.facts
  if (environments.length > 0 && !environments.includes(revision.spec.environment)) {
    fail(`${where}: environment`)
  }
  const { placement } = revision.templateHash === wanted.templateHash ? wanted.spec : revision.spec
  for (const text of placement.require) {
    const parsed = parseSelector(text)
    if (!parsed.ok || !matchesSelector(parsed.selector, nodeLabels(node))) fail(`${where}: ${text}`)
  }
  const usage = state.usageOf(node.name)
  if (usage.cpuMillis > node.facts.capacity.cpuMillis) fail(`${where}: cpu`)
  if (usage.memoryBytes > node.facts.capacity.memoryBytes) fail(`${where}: memory`)
  checkPorts({ state } as World, instance, node)
  checkSeparation({ state } as World, instance, node)
}

function checkPorts({ state }: World, instance: Instance, node: Node): void {
  const ports = Object.values(instance.hostPorts)
  for (const other of state.instancesOn(node.name)) {
    if (other.id === instance.id || isGone(other)) continue
    const shared = Object.values(other.hostPorts).find((port) => ports.includes(port))
    if (shared !== undefined) fail(`${instance.id} and ${other.id} share port ${shared}`)
  }
}

function separationLevels({ state }: World, a: ServiceKey, b: ServiceKey): readonly string[] {
  const rules = (of: ServiceKey, against: ServiceKey): readonly string[] => {
    const spec = state.revisionOf(of, state.services.get(of)?.revision ?? 0)?.spec
    return (spec?.placement.separate ?? [])
      .filter(({ from }) => (from === 'self' ? of : resolveServiceName(from, of)) === against)
      .map(({ by }) => by)
  }
  return [...rules(a, b), ...rules(b, a)]
}

function checkSeparation(world: World, instance: Instance, node: Node): void {
  const { state } = world
  for (const other of state.instances.values()) {
    if (other.id === instance.id || other.node === null || isGone(other)) continue
    const home = state.nodes.get(other.node)
    if (!home || home.confirmedDead) continue
    for (const level of separationLevels(world, instance.service, other.service)) {
      const [mine, theirs] = [nodeLabels(node)[level], nodeLabels(home)[level]]
      const strict = instance.service !== other.service
      if (mine === undefined || (theirs === undefined && strict) || mine === theirs) {
        fail(`${instance.id} on ${node.name} meets ${other.id} on ${home.name} by ${level}`)
      }
    }
  }
}

const serving = ({ state }: World, key: ServiceKey): readonly Instance[] =>
  state
    .instancesOf(key)
    .filter(
      (one) =>
        isLive(one) && isHealthy(one) && state.nodes.get(one.node ?? '')?.liveness === 'ready',
    )

/** Those that count against `replicas + maxSurge`. */
const occupying = ({ state }: World, key: ServiceKey): number =>
  state.instancesOf(key).filter((one) => {
    if (isGone(one) || one.lostAtMs !== null) return false
    const node = state.nodes.get(one.node ?? '')
    if (one.node !== null && !node) return false
    return one.desired === 'run' || node?.liveness !== 'lost'
  }).length

/** Checks every reconcile of the world against the promises. */
export function promises(world: World): Watcher {
  const { state } = world
  let healthyBefore: readonly Instance[] = []
  let occupyingBefore = 0
  let slotsBefore: SlotCounts = { live: new Map(), present: new Map() }
  return {
    before(key) {
      slotsBefore = countSlots(world, key)
      healthyBefore = sent(world, key)
      occupyingBefore = occupying(world, key)
    },
    after(key, steps) {
      for (const step of steps) {
        const placed = step.kind === 'assign' || (step.kind === 'create' && step.node !== null)
        const instance = placed ? state.instances.get(step.id) : undefined
        if (instance) checkPlacement(world, instance)
      }
      const service = state.services.get(key)
      const spec = service && state.revisionOf(key, service.revision)?.spec
      if (!service || !spec || service.deleting) return
      const surge = spec.exclusive ? 0 : spec.update.maxSurge + secondSet(world, key)
      checkShares(world, key)
      const now = occupying(world, key)
      if (now > Math.max(occupyingBefore, spec.replicas + surge)) {
        fail(`${key}: ${now} instances, ${spec.replicas} + ${surge} allowed`)
      }
      checkFloor(world, key, steps, healthyBefore)
      checkSlots(key, slotsBefore, countSlots(world, key), surge, spec.exclusive)
    },
  }
}

function checkFloor(
  world: World,
  key: ServiceKey,
  steps: readonly Step[],
  healthyBefore: readonly Instance[],
): void {
  const { state } = world
  const spec = state.revisionOf(key, state.services.get(key)?.revision ?? 0)?.spec
  if (!spec) return
  const healthy = new Set(healthyBefore.map(({ id }) => id))
  const ours = steps.filter((step) => step.kind === 'stop' && healthy.has(step.id))
  const counted = ours.filter(
    (step) => step.kind === 'stop' && !step.reason.includes('deadline of the drain'),
  )
  if (counted.length === 0) return
  const relaxed = counted.some(
    (step) => step.kind === 'stop' && /^revision .*stopped first/.test(step.reason),
  )
  const { maxUnavailable } = spec.update
  const unavailable = relaxed || spec.exclusive ? Math.max(maxUnavailable, 1) : maxUnavailable
  const overdue = ours.length - counted.length
  const left = sent(world, key).length + overdue
  const floor = spec.replicas - unavailable
  if (left < floor) {
    fail(`${key}: ${left} healthy left, ${floor} promised: ${JSON.stringify(counted)}`)
  }
}

/** Those that serve and are sent something. */
function sent(world: World, key: ServiceKey): readonly Instance[] {
  const weights = new Map<string, number>()
  const table = tableOf(world.state, key)
  for (const { instance, weight } of table?.endpoints ?? []) {
    weights.set(instance, (weights.get(instance) ?? 0) + weight)
  }
  const isStray = leftBehind(world, key)
  return serving(world, key).filter((one) => weights.get(one.id) !== 0 || isStray(one))
}

/** What an unfinished rollout has left may be counted as long as it is there; of two known sets only who has traffic. */
function leftBehind({ state }: World, key: ServiceKey): (instance: Instance) => boolean {
  const hashOf = (revision: number): string | undefined =>
    state.revisionOf(key, revision)?.templateHash
  const left = state
    .rolloutsOf(key)
    .filter(
      ({ phase, shift }) =>
        shift && phase !== 'completed' && phase !== 'progressing' && phase !== 'paused',
    )
  const hashes = new Set(left.map(({ to }) => hashOf(to)))
  const small = state.openRolloutOf(key)?.shift?.strategy === 'canary'
  return ({ revision }) => small || hashes.has(hashOf(revision))
}

/** Room for the second set while blue-green has both. */
function secondSet({ state }: World, key: ServiceKey): number {
  const spec = state.revisionOf(key, state.services.get(key)?.revision ?? 0)?.spec
  const { shift } = state.openRolloutOf(key) ?? {}
  const both =
    shift?.strategy === 'blue-green' && !shift.done && spec?.update.strategy === 'blue-green'
  return both ? spec.replicas : 0
}

/** New traffic goes where the step says, and never nowhere while somebody serves. */
function checkShares({ state }: World, key: ServiceKey): void {
  const wanted = state.revisionOf(key, state.services.get(key)?.revision ?? 0)
  const endpoints = tableOf(state, key)?.endpoints.filter(({ port }) => port === 'http') ?? []
  if (!wanted || endpoints.length === 0) return
  const sum = (some: typeof endpoints): number => some.reduce((all, { weight }) => all + weight, 0)
  if (sum(endpoints) === 0) fail(`${key}: ${endpoints.length} serve and nobody is sent anything`)
  const { shift } = state.openRolloutOf(key) ?? {}
  if (!shift || shift.done || wanted.spec.update.strategy !== shift.strategy) return
  const { replicas, exclusive, update } = wanted.spec
  if (exclusive || (shift.strategy === 'canary' && replicas < 2 && update.maxSurge === 0)) return
  const isNew = ({ instance }: (typeof endpoints)[number]): boolean => {
    const { revision = 0 } = state.instances.get(instance) ?? {}
    return state.revisionOf(key, revision)?.templateHash === wanted.templateHash
  }
  const news = endpoints.filter(isNew)
  if (news.length === 0 || news.length === endpoints.length) return
  const share = (100 * sum(news)) / sum(endpoints)
  const step =
    shift.strategy === 'canary'
      ? (wanted.spec.update.steps?.[shift.step]?.weightPercent ?? 100)
      : shift.weight
  // Steps can be changed while one lasts.
  const [least, most] = [Math.min(shift.weight, step), Math.max(shift.weight, step)]
  const alone = endpoints.every((one) => isNew(one) || one.weight === 0)
  if (share < least - 0.3 || (share > most + 0.3 && !alone)) {
    fail(`${key}: ${share} % for the new revision, and ${least} to ${most} were meant`)
  }
}

interface SlotCounts {
  readonly live: ReadonlyMap<number, number>
  /** Instances whose container exists or may exist. */
  readonly present: ReadonlyMap<number, number>
}

function countSlots(world: World, key: ServiceKey): SlotCounts {
  const { state } = world
  const live = new Map<number, number>()
  const present = new Map<number, number>()
  for (const instance of state.instancesOf(key)) {
    const { slot } = instance
    if (isLive(instance)) live.set(slot, (live.get(slot) ?? 0) + 1)
    const node = state.nodes.get(instance.node ?? '')
    const mayExist = node && !node.confirmedDead && !isGone(instance)
    if (mayExist || world.containers.has(instance.id)) {
      present.set(slot, (present.get(slot) ?? 0) + 1)
    }
  }
  return { live, present }
}

/** More than allowed is wrong unless it was so before: a service may have become exclusive. */
function checkSlots(
  key: ServiceKey,
  before: SlotCounts,
  after: SlotCounts,
  surge: number,
  exclusive: boolean,
): void {
  for (const [slot, count] of after.live) {
    if (count > Math.max(before.live.get(slot) ?? 0, surge + 1)) {
      fail(`${key}: ${count} live in slot ${slot}`)
    }
  }
  if (!exclusive) return
  for (const [slot, count] of after.present) {
    if (count > Math.max(before.present.get(slot) ?? 0, 1)) {
      fail(`${key}: ${count} in the exclusive slot ${slot}`)
    }
  }
}
