import { counted, type Instance, type ServiceStatus } from '@bulkhead/shared'

import type { Hindrance, Plan } from './plan.ts'
import { failedRollout, isComplete } from './rollout-progress.ts'
import type { Slot } from './roster.ts'
import { keeperOf } from './slots.ts'
import { waitingForBackOff } from './waiting.ts'

const textsShown = 3
const slotsShown = 4

interface Finding {
  readonly level: Hindrance
  /** Null: of the service as a whole. */
  readonly slot: number | null
  readonly text: string
}

export interface Assessment {
  readonly status: ServiceStatus
  readonly reason: string
}

/** How the service is after the steps decided so far, and why. */
export function assess(plan: Plan): Assessment {
  const { replicas } = plan.situation
  const findings = [
    ...ofRollout(plan),
    ...plan.roster.slots.flatMap((slot) => ofSlot(plan, slot) ?? []),
  ]
  const healthy = plan.roster.wantedSlots.filter((slot) =>
    slot.instances.some((instance) => plan.situation.serves(instance)),
  ).length
  const levels: readonly Hindrance[] = ['blocked', 'degraded', 'progressing']
  const status = levels.find((level) => findings.some((one) => one.level === level))
  const worstFirst = levels.flatMap((level) => findings.filter((one) => one.level === level))
  const reason = [`${healthy} of ${replicas} healthy`, ...grouped(worstFirst)].join('; ')
  return { status: status ?? 'converged', reason }
}

export function reportStatus(plan: Plan, { status, reason }: Assessment): void {
  const { service } = plan.situation
  if (service.status === status && service.reason === reason) return
  plan.push({ kind: 'status', status, reason })
}

function ofRollout(plan: Plan): readonly Finding[] {
  const { rollout } = plan
  if (rollout === undefined) {
    const failed = failedRollout(plan)
    if (failed === undefined || isComplete(plan)) return []
    const text = `the rollout to revision ${failed.to} failed: ${failed.reason}`
    return [{ level: 'degraded', slot: null, text }]
  }
  const { phase, to, reason } = rollout
  if (phase === 'paused') {
    const text = `the rollout to revision ${to} is paused: ${reason}`
    return [{ level: 'blocked', slot: null, text }]
  }
  return [{ level: 'progressing', slot: null, text: `rollout to revision ${to}: ${reason}` }]
}

function ofSlot(plan: Plan, slot: Slot): Finding | null {
  const finding = (level: Hindrance, text: string): Finding => ({ level, slot: slot.index, text })
  const hindrance = plan.hindrances.get(slot.index)
  if (hindrance) return finding(hindrance.level, hindrance.text)
  const lives = plan.roster.lives(slot)
  const stopping = slot.instances.some((one) => plan.roster.willGo(one))
  if (slot.index >= plan.situation.replicas) {
    return lives.length > 0 || stopping ? finding('progressing', 'stops') : null
  }
  if (lives.length === 0) return finding('progressing', 'being replaced')
  const keeper = keeperOf(plan, slot)
  if (lives.length > 1 || keeper === null) return finding('progressing', 'being replaced')
  const trouble = troubleOf(plan, keeper)
  if (trouble) return finding(trouble.level, trouble.text)
  return stopping ? finding('progressing', 'being replaced') : null
}

function troubleOf(plan: Plan, instance: Instance): { level: Hindrance; text: string } | null {
  const { situation } = plan
  if (situation.serves(instance)) return null
  const node = situation.nodeOf(instance)
  const { id, observed, attempt } = instance
  if (node === undefined) return { level: 'progressing', text: 'has no node yet' }
  if (node.liveness !== 'ready') {
    return { level: 'degraded', text: `node ${node.name} is ${node.liveness}` }
  }
  if (observed.state === 'running' && observed.health === 'unhealthy') {
    return { level: 'degraded', text: `${id} is unhealthy${suffix(observed.reason)}` }
  }
  const waits = waitingForBackOff(instance, situation.nowMs)
  if (waits !== null) {
    plan.wake(instance.startAtMs)
    return { level: 'degraded', text: waits + suffix(causeOf(plan, instance)) }
  }
  if (attempt > 0) {
    const text = `starts again after ${counted(attempt, 'failure')}`
    return { level: 'degraded', text: text + suffix(causeOf(plan, instance)) }
  }
  return { level: 'progressing', text: 'starts' }
}

/** Of the failure that the instance follows. */
function causeOf({ roster }: Plan, { slot, predecessor }: Instance): string {
  const failed = roster.slots[slot]?.instances.find(({ id }) => id === predecessor)
  return failed?.observed.reason ?? ''
}

const suffix = (reason: string): string => (reason === '' ? '' : `: ${reason}`)

/** Equal texts are told once, with their slots: `slots 0, 1 and 3: …`. */
function grouped(findings: readonly Finding[]): readonly string[] {
  const groups = new Map<string, number[]>()
  for (const { slot, text } of findings) {
    const slots = groups.get(text) ?? []
    if (slot !== null) slots.push(slot)
    groups.set(text, slots)
  }
  const texts = [...groups].map(([text, slots]) => {
    if (slots.length === 0) return text
    const shown = slots.slice(0, slotsShown).join(', ')
    const more = slots.length > slotsShown ? ` and ${slots.length - slotsShown} more` : ''
    return `${slots.length === 1 ? 'slot' : 'slots'} ${shown}${more}: ${text}`
  })
  const more =
    texts.length > textsShown ? [`and ${counted(texts.length - textsShown, 'more reason')}`] : []
  return [...texts.slice(0, textsShown), ...more]
}
