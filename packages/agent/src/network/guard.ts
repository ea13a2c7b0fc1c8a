import type { Clock, FromAgentMessage } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Networks } from '../discovery/networks.ts'
import type { EngineWatch } from '../engine/engine-watch.ts'
import { EngineError } from '../engine/engine.ts'
import type { LineageStore } from '../lineage-store.ts'
import { Fence } from './fence.ts'
import { Firewall } from './firewall.ts'
import type { Kernel } from './kernel.ts'
import { Notices } from './notices.ts'
import { RuleWatch } from './rule-watch.ts'
import { surroundingsOf } from './surroundings.ts'

/** The rest of the agent, as the guard sees it; parts of it are made later than the guard is. */
export interface GuardDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly kernel: Kernel | null
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
}

/** Sees to it that what runs on this node is guarded by the kernel, and that somebody hears when it was not. */
export class Guard {
  readonly firewall: Firewall
  readonly fence: Fence
  readonly #notices: Notices
  readonly #watch: RuleWatch | null

  constructor(deps: GuardDeps, { address, table }: GuardSettings) {
    const { parts } = deps
    this.#notices = new Notices({
      send: (notice) => parts().session.send(notice),
      isHeard: () => parts().session.isConnected,
    })
    const surroundings = () => {
      const { store, watch, networks } = parts()
      const { bridges } = networks
      return surroundingsOf({ store, containers: watch.containers, bridges, address })
    }
    const onDrift = (reason: string): void => this.#notices.tell('network-repaired', reason)
    const isNeeded = (): boolean => parts().store.hasExclusive
    this.fence = new Fence({ ...deps, isNeeded, beat: () => parts().session.beat() }, table)
    const onInstalled = (slot: number | null): void => this.fence.installed(slot)
    this.firewall = new Firewall({ ...deps, surroundings, onDrift, onInstalled }, table)
    const { kernel } = deps
    const check = () => this.firewall.check()
    this.#watch = kernel === null ? null : new RuleWatch({ ...deps, kernel, check }, table)
  }

  /** Until `signal` is aborted; the rules stay as they are then. */
  async run(signal: AbortSignal): Promise<void> {
    this.firewall.run(signal)
    await this.#watch?.run(signal)
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
