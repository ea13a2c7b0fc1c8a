import type { Liveness } from '@bulkhead/shared'

import type { ControlPlane } from './control-plane.ts'

/** How many instances got a node since. */
export function countPlaced({ state, signal }: ControlPlane): () => number {
  let count = 0
  state.feed.subscribe(({ changes }) => {
    for (const change of changes) {
      if (change.kind === 'instance' && change.after?.node && !change.before?.node) count++
    }
  }, signal)
  return () => count
}

export function isConverged({ state }: ControlPlane): boolean {
  for (const { status } of state.view.services.values()) if (status !== 'converged') return false
  return true
}

export function firstUnconverged({ state }: ControlPlane): string {
  for (const { key, status, reason } of state.view.services.values()) {
    if (status !== 'converged') return `${key}: ${reason}`
  }
  return ''
}

export function inState({ state }: ControlPlane, liveness: Liveness): number {
  let count = 0
  for (const node of state.view.nodes.values()) if (node.liveness === liveness) count++
  return count
}
