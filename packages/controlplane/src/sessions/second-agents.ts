import type { Clock } from '@bulkhead/shared'

import type { NodesConfig } from '../config/config.ts'
import type { Logger } from '../logger.ts'
import type { NodeMonitor } from '../nodes/monitor.ts'
import type { State } from '../state/state.ts'
import { closeCodes } from './connection.ts'
import type { Session } from './session.ts'

export interface SecondAgentsDeps {
  readonly state: State
  readonly monitor: NodeMonitor
  readonly clock: Clock
  readonly config: Pick<NodesConfig, 'suspectAfterMs'>
  readonly logger: Logger
}

/** Keeps the copy of a node's data directory from obeying in its place, and from taking turns with it. */
export class SecondAgents {
  readonly #deps: SecondAgentsDeps
  /** By node, the other agent that was last refused: it is told of once, however often it tries. */
  readonly #refused = new Map<string, string>()

  constructor(deps: SecondAgentsDeps) {
    this.#deps = deps
  }

  forget(node: string): void {
    this.#refused.delete(node)
  }

  /**
   * Whether another agent speaks for the node, in `other`, and is heard. One that was killed or cut off is silent, and
   * does not stand in the way of its successor.
   */
  isSecond(session: Session, other: Session | undefined): boolean {
    const { monitor, clock, config } = this.#deps
    if (other?.phase !== 'synced' || other.bootId === session.bootId) return false
    const heardAtMs = monitor.heardAtMs(session.node)
    return heardAtMs !== null && clock.nowMs() - heardAtMs < config.suspectAfterMs
  }

  async refuse(session: Session, address: string): Promise<void> {
    const { state, logger } = this.#deps
    const { node, bootId } = session
    const reason = `another agent speaks for node ${node} already: stop one of the two, and join the other under a name of its own`
    session.close(closeCodes.taken, reason)
    if (this.#refused.get(node) === bootId) return
    this.#refused.set(node, bootId)
    logger.warn({ node, address }, 'a second agent of the node was refused')
    await state.write({ actor: 'controlplane' }, (tx) => {
      tx.event({ kind: 'Node', subject: node, action: 'refused', reason: `a second agent with its identity, at ${address}: ${reason}` })
    })
  }
}
