import { mayFollow, successorInstanceId, type InstanceState } from '@bulkhead/shared'

import { acceptAssignments, type AssignmentsMessage } from '../../src/core/accept.ts'
import type { Action } from '../../src/core/action.ts'
import { assort } from '../../src/core/assort.ts'
import { leftoversOf, rolesOf } from '../../src/core/claims.ts'
import { type ContainerInfo, isAlive, newContainer } from '../../src/core/container.ts'
import type { HealthView } from '../../src/core/health.ts'
import type { LeaseStanding } from '../../src/core/lease.ts'
import type { Lineage } from '../../src/core/lineage.ts'
import { ownership } from '../../src/core/ownership.ts'
import { plan } from '../../src/core/plan.ts'
import { rivalOf } from '../../src/core/rival.ts'
import { type Outcome, type RefusalKind, settle } from '../../src/core/settle.ts'
import type { LineageView } from '../../src/core/view.ts'

const ok: Outcome = { ok: true }

/**
 * The agent's plan on an engine of a few lines, without time of its own. Every rule that must hold at all times is
 * checked as things happen, and thrown when it is broken.
 */
export class Model {
  nowMs = 1_000_000_000
  lineages: ReadonlyMap<string, Lineage> = new Map()
  containers = new Map<string, ContainerInfo>()
  readonly foreign = new Map<string, ContainerInfo>()
  readonly health = new Map<string, HealthView>()
  engineReady = true
  imageAbsent = false
  mayPrepare = true
  lease: LeaseStanding = 'held'
  /** What the engine answers to the next action of the kind. */
  readonly refusals = new Map<Action['kind'], RefusalKind>()
  readonly states = new Map<string, InstanceState>()
  readonly #discarding = new Set<string>()
  #serial = 0
  #sawFullSet = false

  accept(message: Omit<AssignmentsMessage, 'kind' | 'revision'>): void {
    const whole: AssignmentsMessage = { kind: 'assignments', revision: 1, ...message }
    this.lineages = acceptAssignments(
      this.lineages,
      whole,
      [...this.containers.values()],
      this.nowMs,
    )
    if (message.from === null) this.#sawFullSet = true
    this.#observeStates()
  }

  /** Somebody starts a container by hand. */
  revive(id: string): void {
    const container = this.containers.get(id)
    if (!container || isAlive(container)) return
    const revived = { state: 'running', exitCode: null, finishedAtMs: null } as const
    this.containers.set(id, { ...container, ...revived, startedAtMs: this.nowMs })
  }

  /** Somebody does something to a container that runs. */
  alter(id: string, changes: Partial<ContainerInfo>): void {
    const container = this.containers.get(id)
    if (container && isAlive(container)) this.containers.set(id, { ...container, ...changes })
  }

  end(id: string, exitCode: number): void {
    const container = this.containers.get(id)
    if (!container || !isAlive(container)) return
    const ended = { state: 'exited', exitCode, finishedAtMs: this.nowMs, address: '' } as const
    this.containers.set(id, { ...container, ...ended })
  }

  /** Plans and does everything until there is nothing left to do now. */
  settle(): void {
    for (let round = 0; round < 200; round++) {
      let isAtRest = this.#discarding.size === 0
      for (const id of this.#discarding) this.containers.delete(id)
      this.#discarding.clear()
      for (const key of this.lineages.keys()) isAtRest = !this.#step(key) && isAtRest
      isAtRest = !this.#discardLeftovers() && isAtRest
      if (isAtRest) return
    }
    throw new Error('the plan does not come to rest')
  }

  view(lineage: Lineage): LineageView {
    const ofInstance = (id: string) =>
      [...this.containers.values()].filter(({ labels }) => labels[ownership.instance] === id)
    return {
      lineage,
      ...assort(lineage, ofInstance),
      health: this.health.get(lineage.current.id) ?? null,
      engineReady: this.engineReady,
      imageAbsent: this.imageAbsent,
      mayPrepare: this.mayPrepare,
      isQuiet: false,
      lease: this.lease,
      rival: rivalOf(lineage, this.lineages, () => [...this.containers.values()]),
    }
  }

  /** True when something was done. */
  #step(key: string): boolean {
    const lineage = this.lineages.get(key)
    if (!lineage) return false
    const { actions } = plan(this.view(lineage), this.nowMs)
    for (const action of actions) this.#do(key, action)
    this.#observeStates()
    return actions.length > 0
  }

  #do(key: string, action: Action): void {
    const lineage = this.lineages.get(key)
    if (!lineage) throw new Error('an action after the lineage was forgotten')
    if (!this.engineReady) throw new Error('an action on an engine that does not answer')
    if ('containerId' in action) this.#checkOurs(lineage, action.containerId)
    if (action.kind === 'forget') {
      this.lineages = new Map([...this.lineages].filter(([other]) => other !== key))
      return
    }
    const refusal = this.refusals.get(action.kind)
    this.refusals.delete(action.kind)
    const outcome: Outcome = refusal ? { ok: false, kind: refusal, message: 'no' } : ok
    if (!refusal) this.#carryOut(lineage, action)
    if (refusal === 'no-such-image') this.imageAbsent = true
    const next = settle(lineage, action, outcome, this.nowMs)
    this.lineages = new Map([...this.lineages, [key, next]])
  }

  #carryOut(lineage: Lineage, action: Action): void {
    if (action.kind === 'pull') this.imageAbsent = false
    if (action.kind === 'create') this.#make(lineage, lineage.current.id)
    if (action.kind === 'prepare') this.#make(lineage, successorInstanceId(lineage.current.id))
    if (action.kind === 'start') {
      const container = this.containers.get(action.containerId)
      if (container?.state !== 'created') throw new Error('started what is not there')
      this.#checkAlone(lineage)
      this.containers.set(container.id, { ...container, state: 'running', startedAtMs: this.nowMs })
    }
    if (action.kind === 'kill') this.end(action.containerId, 137)
    if (action.kind === 'remove') this.containers.delete(action.containerId)
    // It is not waited for, so it comes true later.
    if (action.kind === 'discard') this.#discarding.add(action.containerId)
  }

  #make({ assignment }: Lineage, instance: string): void {
    this.#serial += 1
    const id = `c${this.#serial}`
    for (const other of this.containers.values()) {
      if (other.labels[ownership.instance] === instance) throw new Error('made a second container')
    }
    const { service, slot } = assignment
    const labels = {
      [ownership.instance]: instance,
      [ownership.service]: service,
      [ownership.slot]: String(slot),
    }
    this.containers.set(id, newContainer({ id, name: instance, labels }))
  }

  #discardLeftovers(): boolean {
    if (!this.#sawFullSet || !this.engineReady) return false
    const left = leftoversOf([...this.containers.values()], this.lineages)
    for (const container of left) this.containers.delete(container.id)
    return left.length > 0
  }

  #checkOurs(lineage: Lineage, containerId: string): void {
    const container = this.containers.get(containerId)
    if (!container) return
    const instance = container.labels[ownership.instance] ?? ''
    const isOurs = rolesOf(lineage).some(([id]) => id === instance)
    if (!isOurs) throw new Error(`an action on ${containerId}, which is not the lineage's`)
  }

  #observeStates(): void {
    for (const { current, ended } of this.lineages.values()) {
      for (const link of [...ended, current]) {
        const before = this.states.get(link.id)
        const { state } = link.observed
        if (before !== undefined && before !== state && !mayFollow(before, state)) {
          throw new Error(`${link.id} went from ${before} to ${state}`)
        }
        this.states.set(link.id, state)
      }
    }
  }

  /** The live containers that bear an instance of the lineage. */
  live(lineage: Lineage): readonly ContainerInfo[] {
    const ids = new Set(rolesOf(lineage).map(([id]) => id))
    return [...this.containers.values()].filter(
      (container) => isAlive(container) && ids.has(container.labels[ownership.instance] ?? ''),
    )
  }

  #checkAlone(lineage: Lineage): void {
    if (this.live(lineage).length > 0) throw new Error('started beside a live container')
    const { service, slot, template } = lineage.assignment
    const inSlot = [...this.containers.values()].filter(
      ({ labels }) =>
        labels[ownership.service] === service && labels[ownership.slot] === String(slot),
    )
    if (template.exclusive && inSlot.some(isAlive))
      throw new Error('started beside another of its slot')
  }
}
