import type { Clock, InstanceReport, Timer } from '@bulkhead/shared'

export interface OutboxDeps {
  readonly clock: Clock
  readonly send: (sequence: number, reports: readonly InstanceReport[]) => void
}

interface InFlight {
  readonly sentMs: number
  readonly reports: readonly InstanceReport[]
}

/** Changes within this time travel together. */
const batchMs = 5
/** Steps on the way up are soon followed by the next, which then is all there is to say. */
const passingMs = 100
/** Messages that may be on their way unacknowledged; beyond that, changes wait and merge. */
const maxInFlight = 8
/** Records of instances that are gone, kept until the control plane has heard of their end. */
const maxLast = 1000

/**
 * What the control plane has not heard yet: at most one report an instance, the newest. Only records that the agent
 * has dropped are kept while there is no session; of everything else the next inventory tells.
 */
export class Outbox {
  readonly #deps: OutboxDeps
  readonly #pending = new Map<string, InstanceReport>()
  readonly #last = new Map<string, InstanceReport>()
  /** Those of them that the inventory of this session has told. */
  #told: readonly InstanceReport[] = []
  /** Origins whose reports are held back, and those reports. */
  readonly #held = new Set<string>()
  readonly #kept = new Map<string, InstanceReport>()
  readonly #inFlight = new Map<number, InFlight>()
  #open = false
  #timer: Timer | null = null
  #dueAtMs = 0
  #sequence = 0

  constructor(deps: OutboxDeps) {
    this.#deps = deps
  }

  put(report: InstanceReport): void {
    if (!this.#open) return
    const queue = this.#held.has(report.origin) ? this.#kept : this.#pending
    queue.set(report.instance, report)
    const { state } = report.observed
    this.#schedule(state === 'created' || state === 'starting' ? passingMs : batchMs)
  }

  /** The last report of an instance whose record is dropped. */
  putLast(report: InstanceReport): void {
    if (this.#last.size >= maxLast) {
      const [oldest = ''] = this.#last.keys()
      this.#last.delete(oldest)
    }
    this.#last.set(report.instance, report)
    this.put(report)
  }

  /**
   * Sends `notice`, and nothing else of its origin until `until` is settled: what comes by then changes what is to be
   * said. Reports of other origins go on. One that is held back already is not for longer: what follows a report must
   * neither overtake it nor keep it.
   */
  hold(notice: InstanceReport, until: Promise<void>): void {
    const { origin } = notice
    if (this.#held.has(origin)) return
    this.put(notice)
    this.#held.add(origin)
    void until.finally(() => this.#release(origin))
  }

  /** A session has begun: reports to add to its inventory, and from here on changes are sent. */
  open(): readonly InstanceReport[] {
    this.close()
    this.#open = true
    this.#sequence = 0
    this.#told = [...this.#last.values()]
    return this.#told
  }

  close(): void {
    this.#open = false
    this.#pending.clear()
    this.#kept.clear()
    this.#inFlight.clear()
    this.#told = []
  }

  /** The control plane has answered the inventory. */
  inventoryTaken(): void {
    this.#heard(this.#told)
    this.#told = []
  }

  /** What was said last of an instance, or of its successor, and is not answered yet. */
  farewell(instance: string): InstanceReport | undefined {
    const exact = this.#last.get(instance)
    if (exact) return exact
    for (const report of this.#last.values()) if (report.origin === instance) return report
    return undefined
  }

  /** Everything that may be sent has been. */
  get isEmpty(): boolean {
    return this.#pending.size === 0
  }

  /** For how long the oldest message has waited to be acknowledged; 0: none does. */
  get oldestMs(): number {
    const [oldest] = this.#inFlight.values()
    return oldest ? this.#deps.clock.monotonicMs() - oldest.sentMs : 0
  }

  acknowledge(sequence: number): void {
    for (const [sent, { reports }] of this.#inFlight) {
      if (sent > sequence) break
      this.#inFlight.delete(sent)
      this.#heard(reports)
    }
    this.#schedule()
  }

  #heard(reports: readonly InstanceReport[]): void {
    for (const report of reports) {
      if (this.#last.get(report.instance) === report) this.#last.delete(report.instance)
    }
  }

  #schedule(delayMs = batchMs): void {
    if (this.#pending.size === 0) return
    const { clock } = this.#deps
    const dueAtMs = clock.monotonicMs() + delayMs
    if (this.#timer !== null && this.#dueAtMs <= dueAtMs) return
    this.#timer?.cancel()
    this.#dueAtMs = dueAtMs
    this.#timer = clock.after(delayMs, () => {
      this.#timer = null
      this.flush()
    })
  }

  /** Sends what waits now, unless too much is on its way. */
  flush(): void {
    if (!this.#open || this.#pending.size === 0) return
    if (this.#inFlight.size >= maxInFlight) return
    const reports = [...this.#pending.values()]
    this.#pending.clear()
    this.#sequence += 1
    this.#inFlight.set(this.#sequence, { sentMs: this.#deps.clock.monotonicMs(), reports })
    this.#deps.send(this.#sequence, reports)
  }

  #release(origin: string): void {
    this.#held.delete(origin)
    for (const [instance, report] of this.#kept) {
      if (report.origin !== origin) continue
      this.#kept.delete(instance)
      this.#pending.set(instance, report)
    }
    this.#schedule()
  }
}
