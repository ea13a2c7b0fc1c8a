import { type Beat, type BeatKey, decodeBeat, encodeBeat, isSignedBy } from '@bulkhead/shared'

import type { NodeMonitor } from '../nodes/monitor.ts'

interface Beater {
  readonly bootId: string
  readonly key: BeatKey
  /** Of its last beat: what comes again, or late, counts for nothing. */
  counter: number
}

/**
 * Takes in the beats of agents: of those that have, or had a moment ago, a session that is up to date. One is kept
 * per node. A beat says that an agent is there and hears us, and nothing else.
 */
export class Beats {
  readonly #monitor: Pick<NodeMonitor, 'vouched'>
  readonly #beaters = new Map<string, Beater>()

  constructor(monitor: Pick<NodeMonitor, 'vouched'>) {
    this.#monitor = monitor
  }

  /** The node's session of this process of its agent is up to date. */
  synced(node: string, bootId: string, key: BeatKey): void {
    const known = this.#beaters.get(node)
    const counter = known?.bootId === bootId ? known.counter : 0
    this.#beaters.set(node, { bootId, key, counter })
  }

  forget(node: string): void {
    this.#beaters.delete(node)
  }

  /** What is to be answered; null: nothing, because it is not, or no longer, from an agent that is known. */
  receive(datagram: Uint8Array): Uint8Array | null {
    const beat = decodeBeat(datagram)
    const beater = beat && this.#beaters.get(beat.node)
    if (!beat || !beater || !isNews(beater, beat) || !isSignedBy(datagram, beater.key)) return null
    beater.counter = beat.counter
    if (beat.kind === 'hears') this.#monitor.vouched(beat.node)
    return encodeBeat({ ...beat, kind: 'answer' }, beater.key)
  }
}

const isNews = ({ bootId, counter }: Beater, beat: Beat): boolean =>
  beat.kind !== 'answer' && beat.bootId === bootId && beat.counter > counter
