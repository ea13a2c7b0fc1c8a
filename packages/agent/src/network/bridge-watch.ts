import { type Clock, sleep } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Networks } from '../discovery/networks.ts'
import type { Bridge } from './core/bridge.ts'
import type { Machine } from './machine.ts'

export interface BridgeWatchDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly machine: Pick<Machine, 'devices' | 'filterBridges'>
  readonly networks: () => Pick<Networks, 'bridges' | 'isMaking' | 'mend'>
  /** Whether anything is assigned to the network. */
  readonly isUsed: (network: string) => boolean
  /** The engine answers. */
  readonly isReady: () => boolean
  /** Something was not as it has to be, and is again. */
  readonly onRepaired: (reason: string) => void
  /** Packets between the ports of bridges cannot be made to pass the rules. */
  readonly onUnfiltered: () => void
}

const lookMs = 1000
/** A bridge that is missed for the first time may be on its way. */
const missedLooks = 2
/** One that could not be made again is left alone for as many looks. */
const restLooks = 5

/** Sees to it that bridges are there, and that what goes between their ports passes the rules. */
export class BridgeWatch {
  readonly #deps: BridgeWatchDeps
  readonly #missed = new Map<string, number>()
  /** Made again and not seen since: an engine whose bridges cannot be seen from here is not disturbed twice. */
  readonly #unseen = new Set<string>()

  constructor(deps: BridgeWatchDeps) {
    this.#deps = deps
  }

  /** Until `signal` is aborted; does not reject. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await sleep(this.#deps.clock, lookMs, signal).catch(() => {})
      if (signal.aborted) return
      await this.#filter()
      await this.#look()
    }
  }

  async #filter(): Promise<void> {
    const { machine, onRepaired, onUnfiltered } = this.#deps
    const set = await machine.filterBridges().catch(() => null)
    if (set === null) return onUnfiltered()
    for (const name of set) {
      onRepaired(
        `${name} was 0, so that containers on one bridge reached each other past the rules; it was set to 1 again`,
      )
    }
  }

  async #look(): Promise<void> {
    const { machine, networks, isReady } = this.#deps
    const devices = isReady() ? await machine.devices().catch(() => null) : null
    if (devices === null) return
    const { bridges } = networks()
    for (const network of this.#missed.keys()) {
      if (!bridges.some((bridge) => bridge.network === network)) this.#missed.delete(network)
    }
    for (const bridge of bridges) {
      if (this.#isMissing(bridge, devices)) await this.#mend(bridge)
    }
  }

  #isMissing({ network, device }: Bridge, devices: ReadonlySet<string>): boolean {
    const isThere = devices.has(device)
    if (isThere) this.#unseen.delete(network)
    const isBusy = this.#deps.networks().isMaking(network)
    const missed = isThere || isBusy ? 0 : (this.#missed.get(network) ?? 0) + 1
    this.#missed.set(network, missed)
    return missed >= missedLooks && !this.#unseen.has(network)
  }

  async #mend(bridge: Bridge): Promise<void> {
    const { networks, isUsed, onRepaired, logger } = this.#deps
    const { device, network } = bridge
    this.#missed.set(network, -restLooks)
    try {
      const isMade = await networks().mend(bridge, isUsed(network))
      this.#unseen.add(network)
      if (!isMade) return
    } catch (error) {
      logger.warn({ err: error, network, device }, 'a bridge is gone and cannot be made again')
      return
    }
    onRepaired(
      `the bridge ${device} of the network ${network} was gone; it was made again, and containers on it are replaced`,
    )
  }
}
