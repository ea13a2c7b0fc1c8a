import type { Clock, FromAgentMessage } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { networksInUse } from '../discovery/networks-in-use.ts'
import type { Networks } from '../discovery/networks.ts'
import type { EngineWatch } from '../engine/engine-watch.ts'
import { EngineError } from '../engine/engine.ts'
import type { LineageStore } from '../lineage-store.ts'
import { BridgeWatch } from './bridge-watch.ts'
import type { Bridge } from './core/bridge.ts'
import { shortcomingsOf } from './core/shortcomings.ts'
import { Enforcement } from './enforcement.ts'
import { Fence } from './fence.ts'
import { Firewall } from './firewall.ts'
import type { Kernel } from './kernel.ts'
import type { Machine } from './machine.ts'
import { Notices } from './notices.ts'
import { RuleWatch } from './rule-watch.ts'
import { surroundingsOf } from './surroundings.ts'

/** The rest of the agent, as the guard sees it; parts of it are made later than the guard is. */
export interface GuardDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly kernel: Kernel | null
  /** Null: it does not change. */
  readonly machine: Machine | null
  /** Whether the kernel holds zones is not what it was. */
  readonly onNews: () => void
  readonly parts: () => {
    readonly store: LineageStore
    readonly watch: EngineWatch
    readonly networks: Networks
    readonly session: {
      readonly isConnected: boolean
      beat(): void
      send(message: FromAgentMessage): void
    }
  }
}

export interface GuardSettings {
  /** Where ports are published. */
  readonly address: string
  /** Family and name of the kernel's table. */
  readonly table: string
  /** Why the kernel cannot hold zones at the start; empty when it can. */
  readonly unenforced: string
}

/** Sees to it that what runs on this node is guarded by the kernel, and that somebody hears when it was not. */
export class Guard {
  readonly firewall: Firewall
  readonly fence: Fence
  readonly enforcement: Enforcement
  readonly #deps: GuardDeps
  readonly #notices: Notices
  readonly #rules: RuleWatch | null
  readonly #bridges: BridgeWatch | null

  constructor(deps: GuardDeps, settings: GuardSettings) {
    this.#deps = deps
    const { parts, kernel, machine } = deps
    const { table, unenforced } = settings
    this.#notices = new Notices({
      send: (notice) => parts().session.send(notice),
      isHeard: () => parts().session.isConnected,
    })
    this.enforcement = new Enforcement({ ...deps, onNews: () => this.#onEnforcement() }, unenforced)
    const isNeeded = (): boolean => parts().store.hasExclusive
    this.fence = new Fence({ ...deps, isNeeded, beat: () => parts().session.beat() }, table)
    this.firewall = this.#makeFirewall(settings)
    const check = () => this.firewall.check()
    this.#rules = kernel === null ? null : new RuleWatch({ ...deps, kernel, check }, table)
    this.#bridges = kernel === null || machine === null ? null : this.#makeBridgeWatch(machine)
  }

  /** Until `signal` is aborted; the rules stay as they are then. */
  async run(signal: AbortSignal): Promise<void> {
    this.firewall.run(signal)
    const watching = [this.#rules?.run(signal), this.#bridges?.run(signal)]
    await Promise.all([...watching, this.enforcement.run(signal)])
  }

  /** A network was made, or is not as it was. */
  async onBridge(bridge: Bridge): Promise<void> {
    const { machine } = this.#deps
    if (machine === null) return
    const noIpv6 = await machine.whyNoIpv6().catch(() => '')
    for (const one of shortcomingsOf(bridge, noIpv6)) this.#notices.tell('network-limited', one)
  }

  /** What is needed is made again. */
  onNetworkRemoved(network: string): void {
    const { networks } = this.#deps.parts()
    if (networks.wasRemovedHere(network) || !this.#isUsed(network)) return
    const reason = `somebody has removed the network ${network}; it is made again, and what waits on it is made anew`
    this.#notices.tell('network-repaired', reason)
  }

  #isUsed(network: string): boolean {
    return networksInUse(this.#deps.parts().store.all).has(network)
  }

  #makeFirewall({ address, table }: GuardSettings): Firewall {
    const surroundings = () => {
      const { store, watch, networks } = this.#deps.parts()
      const { bridges } = networks
      return surroundingsOf({ store, containers: watch.containers, bridges, address })
    }
    const handlers = {
      isOn: () => this.enforcement.isOn,
      surroundings,
      onDrift: (reason: string): void => this.#notices.tell('network-repaired', reason),
      onTrouble: () => void this.enforcement.look(),
      onInstalled: (slot: number | null): void => this.fence.installed(slot),
    }
    return new Firewall({ ...this.#deps, ...handlers }, table)
  }

  #makeBridgeWatch(machine: Machine): BridgeWatch {
    const { parts } = this.#deps
    return new BridgeWatch({
      ...this.#deps,
      machine,
      networks: () => parts().networks,
      isUsed: (network) => this.#isUsed(network),
      isReady: () => parts().watch.isReady,
      onRepaired: (reason) => this.#notices.tell('network-repaired', reason),
      onUnfiltered: () => void this.enforcement.look(),
    })
  }

  #onEnforcement(): void {
    this.#deps.onNews()
    this.firewall.sync().catch(() => {})
  }

  /** There is somebody to tell. */
  heard(): void {
    this.#notices.flush()
  }

  /** Nothing is started on a bridge, or behind a port, that the kernel does not guard. Rejects with an EngineError. */
  async protect(isExclusive = false): Promise<void> {
    await this.firewall.sync().catch((error: unknown) => {
      const why = error instanceof Error ? error.message : String(error)
      throw new EngineError('refused', `the kernel does not hold the zones: ${why}`)
    })
    if (isExclusive) await this.fence.ready()
  }
}
