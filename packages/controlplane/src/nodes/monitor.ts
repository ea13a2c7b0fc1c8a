import { type Clock, leaseMarginMs } from '@bulkhead/shared'

import type { NodesConfig } from '../config/config.ts'
import type { State } from '../state/state.ts'
import { type Brake, judge, type Heard } from './core/liveness.ts'

const checkEveryMs = 200
/** News is looked at at once, and what comes in for so long after it together. */
const gatherMs = 20
/** So long after a session last spoke beats keep its node from being suspect; agents send none for longer. */
const vouchedForMs = 30_000

interface Contact {
  heardAtMs: number
  /** When it last spoke in a session, which beats are not. */
  spokeAtMs: number
  engineProblem: string
  engineDownSinceMs: number | null
}

/**
 * Keeps when each agent was last heard from, in memory, and writes only changes of liveness. Time in which this
 * process itself did not run (a suspended machine, a long stall) is taken off everybody's silence.
 */
export class NodeMonitor {
  readonly #state: State
  readonly #clock: Clock
  readonly #config: NodesConfig
  readonly #onProblem: (error: unknown) => void
  readonly #contacts = new Map<string, Contact>()
  /** When each agent was last answered, with nothing taken off: its lease ends that much later. */
  readonly #answeredAtMs = new Map<string, number>()
  readonly #startedAtMs: number
  /** Since when agents can have been heard by us. */
  #listensSinceMs: number
  /** When a stop of our own was last made up for. */
  #excusedAtMs = Number.NEGATIVE_INFINITY
  #brake: Brake | null = null
  #checkedAtMs: number
  #writing = false
  #checksSoon = false
  #gatheredAtMs = 0

  constructor(deps: { state: State; clock: Clock; config: NodesConfig; onProblem: (error: unknown) => void }) {
    this.#state = deps.state
    this.#clock = deps.clock
    this.#config = deps.config
    this.#onProblem = deps.onProblem
    this.#startedAtMs = deps.clock.monotonicMs()
    this.#listensSinceMs = this.#startedAtMs
    this.#checkedAtMs = this.#startedAtMs
  }

  start(signal: AbortSignal): void {
    const loop = (): void => {
      if (signal.aborted) return
      this.check()
      this.#clock.after(checkEveryMs, loop)
    }
    this.#clock.after(checkEveryMs, loop)
  }

  /** The agent of a session that has delivered its inventory said something; it counts once its engine is known. */
  heard(node: string, engineProblem?: string): void {
    const contact = this.#contacts.get(node)
    const nowMs = this.#clock.monotonicMs()
    if (!contact) {
      if (engineProblem === undefined) return
      const engineDownSinceMs = engineProblem === '' ? null : nowMs
      this.#contacts.set(node, { heardAtMs: nowMs, spokeAtMs: nowMs, engineProblem, engineDownSinceMs })
      this.#checkSoon()
      return
    }
    contact.heardAtMs = nowMs
    contact.spokeAtMs = nowMs
    const changed = engineProblem !== undefined && engineProblem !== contact.engineProblem
    if (changed) {
      contact.engineProblem = engineProblem
      contact.engineDownSinceMs = engineProblem === '' ? null : (contact.engineDownSinceMs ?? nowMs)
    }
    if (changed || this.#state.view.nodes.get(node)?.liveness !== 'ready') this.#checkSoon()
  }

  /**
   * The agent says by datagram that it is there, while its connection is held up. That keeps a node, for a while; one
   * that is lost comes back with a connection that moves.
   */
  vouched(node: string): void {
    const contact = this.#contacts.get(node)
    const liveness = this.#state.view.nodes.get(node)?.liveness
    const nowMs = this.#clock.monotonicMs()
    if (!contact || liveness === 'lost' || nowMs - contact.spokeAtMs >= vouchedForMs) return
    contact.heardAtMs = nowMs
    if (liveness === 'suspect') this.#checkSoon()
  }

  /** A look costs what the cluster has: many nodes that speak at once share one. */
  #checkSoon(): void {
    if (this.#checksSoon) return
    const nowMs = this.#clock.monotonicMs()
    if (nowMs >= this.#gatheredAtMs) {
      this.#gatheredAtMs = nowMs + gatherMs
      this.check()
      return
    }
    this.#checksSoon = true
    this.#clock.after(this.#gatheredAtMs - nowMs, () => {
      this.#checksSoon = false
      this.#checkSoon()
    })
  }

  /** The agent is about to be answered, which renews its lease. */
  answered(node: string): void {
    this.#answeredAtMs.set(node, this.#clock.monotonicMs())
  }

  /**
   * What an agent said could not be taken because of our own store: as after a start of ours, everybody gets the
   * time to be heard again.
   */
  excuse(): void {
    this.#listensSinceMs = this.#clock.monotonicMs()
  }

  forget(node: string): void {
    this.#contacts.delete(node)
    this.#answeredAtMs.delete(node)
  }

  /** Wall-clock time at which the node was last heard from; null: not since the start. */
  heardAtMs(node: string): number | null {
    const contact = this.#contacts.get(node)
    if (!contact) return null
    return this.#clock.nowMs() - (this.#clock.monotonicMs() - contact.heardAtMs)
  }

  /** Wall-clock time at which all exclusive instances of the node have been stopped if nothing is heard by then. */
  leaseEndsAtMs(node: string): number {
    const nowMs = this.#clock.monotonicMs()
    const answeredAtMs = this.#answeredAtMs.get(node) ?? this.#startedAtMs
    return this.#clock.nowMs() - nowMs + answeredAtMs + this.#config.leaseMs + leaseMarginMs(this.#config.leaseMs)
  }

  isLeaseOver(node: string): boolean {
    return this.leaseEndsAtMs(node) <= this.#clock.nowMs()
  }

  check(): void {
    const nowMs = this.#clock.monotonicMs()
    const stalledMs = nowMs - this.#checkedAtMs - checkEveryMs
    this.#checkedAtMs = nowMs
    if (stalledMs > checkEveryMs) {
      for (const contact of this.#contacts.values()) {
        // Who was heard since has nothing to be forgiven.
        contact.heardAtMs = Math.min(contact.heardAtMs + stalledMs, nowMs)
        if (contact.engineDownSinceMs !== null) contact.engineDownSinceMs += stalledMs
      }
    }
    // So long that agents have left us, and come back one after the other. Not every time: one that stalls again and
    // again has to notice a lost node all the same.
    const isExcused = nowMs - this.#excusedAtMs < this.#config.massLossHoldMs
    if (stalledMs > this.#config.lostAfterMs && !isExcused) {
      this.#excusedAtMs = nowMs
      this.excuse()
    }
    if (this.#writing) return
    const { verdicts, brake } = judge(
      this.#heard(),
      nowMs,
      this.#listensSinceMs,
      this.#brake,
      this.#config,
    )
    this.#brake = brake
    if (verdicts.length === 0) return
    this.#writing = true
    this.#state
      .write({ actor: 'controlplane' }, (tx) => {
        for (const { name, liveness, reason } of verdicts) {
          const node = tx.nodes.get(name)
          if (!node) continue
          tx.putNode({ ...node, liveness, livenessReason: reason, livenessSinceMs: tx.nowMs })
          tx.event({ kind: 'Node', subject: name, action: liveness, reason })
        }
      })
      .catch((error: unknown) => {
        this.excuse()
        this.#onProblem(error)
      })
      .finally(() => {
        this.#writing = false
      })
  }

  #heard(): Heard[] {
    const heard: Heard[] = []
    for (const node of this.#state.view.nodes.values()) {
      const contact = this.#contacts.get(node.name)
      heard.push({
        name: node.name,
        liveness: node.liveness,
        heardAtMs: contact ? Math.min(contact.heardAtMs, this.#checkedAtMs) : null,
        engineProblem: contact?.engineProblem ?? '',
        engineDownSinceMs: contact?.engineDownSinceMs ?? null,
        confirmedDead: node.confirmedDead,
      })
    }
    return heard
  }
}
