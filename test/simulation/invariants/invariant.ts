import type { ClusterView, Commit } from '../../../packages/controlplane/src/state/view.ts'
import type { SimNode } from '../world/node.ts'
import type { Acknowledged } from '../world/operator.ts'
import type { World } from '../world/world.ts'

/** A promise that is held against what happens. What it finds broken it tells the world by its name. */
export interface Invariant {
  readonly name: string
  /** A control plane has loaded its state; the world's records are still those from before. */
  onBoot?(view: ClusterView): void
  /** A commit is durable; the world's records are still without it. */
  beforeCommit?(commit: Commit): void
  onCommit?(commit: Commit): void
  onAcknowledged?(acknowledged: Acknowledged): void
  /** An agent's call takes effect on its engine, now. */
  onEngineCall?(node: SimNode, call: string, container: string): void
  onLog?(level: string, message: string, fields: object): void
  onEvent?(): void
  /** The cluster has come to rest; it may be asked things that take it a moment. */
  onRest?(): void | Promise<void>
}

export type MakeInvariant = (world: World) => Invariant
