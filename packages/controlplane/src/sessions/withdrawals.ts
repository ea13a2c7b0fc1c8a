import { isGone, isWithdrawing, type Clock, type Instance, type Timer } from '@bulkhead/shared'

import { concernsNode, reachesOf } from '../discovery/core/endpoints.ts'
import type { Logger } from '../logger.ts'
import type { State } from '../state/state.ts'
import type { Commit } from '../state/view.ts'
import { laggards, type NodeTables } from './core/withdrawal.ts'

/** Acknowledgements that come within this time are judged together. */
const gatherMs = 5
/** After a refused write (a full disk, say) the same is tried again this much later. */
const retryMs = 1000

interface Held {
  /** Of the commit that took the instance out of the tables. */
  readonly revision: number
  /** By the monotonic clock: setting the other one neither lengthens nor shortens the wait. */
  readonly dueAtMs: number
}

export interface WithdrawalsDeps {
  readonly state: State
  readonly clock: Clock
  readonly logger: Logger
  /** Whether changes of the service's table have not been sent yet. */
  readonly isPending: (service: string) => boolean
  /** What the session of the node was sent and acknowledged. */
  readonly tablesOf: (node: string) => Pick<NodeTables, 'sentRevision' | 'servedRevision'>
}

/**
 * Holds the orders to stop instances back until no live node sends them traffic: until every node whose zones may
 * reach the service goes by a table without the instance, or the drain time is over. What is held stands in the
 * instance's record, so that a control plane that is started anew goes on with it.
 */
export class Withdrawals {
  readonly #deps: WithdrawalsDeps
  readonly #held = new Map<string, Held>()
  #timer: Timer | null = null
  #dueAtMs = Infinity
  #judging = false

  constructor(deps: WithdrawalsDeps) {
    this.#deps = deps
    const { view } = deps.state
    for (const instance of view.instances.values()) {
      if (isHeld(instance)) this.#hold(instance, view.revision)
    }
    this.look()
  }

  follow(commits: readonly Commit[]): void {
    let moved = false
    for (const { revision, changes } of commits) {
      for (const change of changes) {
        if (change.kind === 'node') moved = true
        if (change.kind !== 'instance') continue
        const { before, after } = change
        if (!after || !isHeld(after)) this.#held.delete(change.key)
        else if (!before || !isHeld(before)) {
          this.#hold(after, revision)
          moved = true
        }
      }
    }
    if (moved) this.look()
  }

  /** Something that counts may have changed: an acknowledgement, a session, what was sent. */
  look(): void {
    if (this.#held.size > 0) this.#wake(gatherMs)
  }

  #wake(delayMs: number): void {
    const { clock } = this.#deps
    const atMs = clock.monotonicMs() + Math.max(delayMs, 1)
    if (atMs >= this.#dueAtMs) return
    this.#timer?.cancel()
    this.#dueAtMs = atMs
    this.#timer = clock.after(Math.max(delayMs, 1), () => {
      this.#dueAtMs = Infinity
      this.#judge().catch((error: unknown) => {
        this.#judging = false
        this.#deps.logger.error({ err: error }, 'orders to stop could not be written; trying again')
        this.#wake(retryMs)
      })
    })
  }

  async #judge(): Promise<void> {
    if (this.#judging) return
    const { state, clock } = this.#deps
    const released: string[] = []
    const behind = new Map<string, readonly string[]>()
    for (const [id, { revision, dueAtMs }] of this.#held) {
      const instance = state.view.instances.get(id)
      if (!instance) continue
      const leftMs = dueAtMs - clock.monotonicMs()
      const isOver = leftMs <= 0 || this.#isServed(instance, revision, behind)
      if (isOver) released.push(id)
      else this.#wake(leftMs)
    }
    if (released.length === 0) return
    this.#judging = true
    await state.write({ actor: 'controlplane' }, (tx) => {
      for (const id of released) {
        const instance = tx.instances.get(id)
        if (instance && isHeld(instance)) tx.putInstance({ ...instance, withdrawDueAtMs: null })
      }
    })
    this.#judging = false
    this.look()
  }

  #hold(instance: Instance, revision: number): void {
    const { clock, state } = this.#deps
    const template = state.view.revisionOf(instance.service, instance.revision)?.template
    const leftMs = (instance.withdrawDueAtMs ?? 0) - clock.nowMs()
    const waitMs = Math.min(Math.max(leftMs, 0), template?.stop.drainMs ?? 0)
    this.#held.set(instance.id, { revision, dueAtMs: clock.monotonicMs() + waitMs })
  }

  /** `behind`: what was found out in this round, by service, zone and revision. */
  #isServed(instance: Instance, revision: number, behind: Map<string, readonly string[]>): boolean {
    const { isPending, state } = this.#deps
    const { service } = instance
    if (isPending(service)) return false
    const zone = state.view.revisionOf(service, instance.revision)?.template.zone ?? ''
    const key = `${service}@${zone}@${revision}`
    let names = behind.get(key)
    if (names === undefined) {
      names = laggards(this.#audience(service, zone), revision)
      behind.set(key, names)
    }
    return names.length === 0
  }

  /** Nodes that have the table of the service, or had it when the service was in the zone of the instance. */
  *#audience(service: string, zoneBefore: string): Iterable<NodeTables> {
    const { state, tablesOf } = this.#deps
    const { view } = state
    const record = view.services.get(service)
    const zone = record && view.revisionOf(service, record.revision)?.spec.zone
    const zones = [...new Set([zone ?? zoneBefore, zoneBefore])]
    const reaches = reachesOf(view.zones)
    for (const { name, facts, liveness, confirmedDead } of view.nodes.values()) {
      if (!zones.some((of) => concernsNode({ service, zone: of }, facts, reaches))) continue
      yield { name, isGivenUp: liveness === 'lost' || confirmedDead, ...tablesOf(name) }
    }
  }
}

const isHeld = (instance: Instance): boolean =>
  isWithdrawing(instance) && instance.lostAtMs === null && !isGone(instance)
