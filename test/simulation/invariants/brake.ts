import type { Node } from '@bulkhead/shared'

import type { Changed } from '../../../packages/controlplane/src/state/view.ts'
import type { Records } from '../records.ts'
import type { MakeInvariant } from './invariant.ts'

const lookEveryMs = 1000
/** What a slow disk, and a judgement that was made a moment before, may put between a decision and its commit. */
const slackMs = 10_000
/** So many `lostAfter` after others of a mass have come back, the rest has a cause of its own. */
const restFactor = 4
/** A control plane that was in trouble gives everybody the time to come back, and its disk may have to catch up. */
const recoversMs = 30_000

/** When many nodes fall silent at once none of them is given up for a while, and after that each of them is. */
export const brake: MakeInvariant = (world) => {
  const { massLossBrake, massLossHoldMs, lostAfterMs } = world.config.nodes
  const { records } = world
  /** Since when many may have been missing without a break that counts; null: they are not. */
  let sinceMs: number | null = null
  let manyAtMs = -Infinity
  /** Since when nodes have been silent, without trouble of the control plane's own. */
  const silentSinceMs = new Map<string, number>()
  let lookedAtMs = 0

  const isMany = (missing: number, all: number): boolean =>
    missing >= 2 && missing > massLossBrake * all

  function note(given: number): void {
    const { nowMs } = world.schedule
    const missing = given + missingOf(records)
    if (isMany(missing, records.node.size)) {
      sinceMs ??= nowMs
      manyAtMs = nowMs
    } else if (missing === 0 || nowMs - manyAtMs > restFactor * lostAfterMs + slackMs) {
      sinceMs = null
    }
  }

  function lookForForgotten(): void {
    const { nowMs } = world.schedule
    const silent = silentOf(records)
    const isTroubled = nowMs < world.controlTroubledAtMs + recoversMs || !world.controlPlane.running
    for (const name of silentSinceMs.keys()) {
      if (isTroubled || !silent.has(name)) silentSinceMs.delete(name)
    }
    if (isTroubled) return
    for (const name of silent) {
      const fromMs = silentSinceMs.get(name) ?? nowMs
      silentSinceMs.set(name, fromMs)
      if (nowMs > fromMs + lostAfterMs) world.count('brake')
      const restMs = Math.max(manyAtMs + restFactor * lostAfterMs - fromMs, 0)
      const heldMs = lostAfterMs + Math.min(massLossHoldMs, restMs) + slackMs
      if (nowMs - fromMs <= heldMs) continue
      const silentS = Math.round((nowMs - fromMs) / 1000)
      world.fail('brake', `${name} has been silent for ${silentS} s, and is not given up`)
    }
  }

  return {
    name: 'brake',
    onBoot() {
      sinceMs = null
      manyAtMs = -Infinity
      silentSinceMs.clear()
    },
    onEvent() {
      if (world.schedule.nowMs < lookedAtMs + lookEveryMs) return
      lookedAtMs = world.schedule.nowMs
      note(0)
      lookForForgotten()
    },
    onCommit({ changes }) {
      const given = changes.filter(isGivenUp).length
      if (given === 0) return
      note(given)
      const missing = silentOf(records).size + given
      if (sinceMs === null || !isMany(missing, records.node.size + 1)) return
      // Before its grace is over the control plane knows of more than it writes down.
      if (sinceMs < world.controlTroubledAtMs + recoversMs) return
      world.count('brake')
      const forMs = world.schedule.nowMs - sinceMs
      if (forMs >= massLossHoldMs - slackMs) return
      const all = records.node.size
      world.fail(
        'brake',
        `${missing} of ${all} nodes are missing for ${Math.round(forMs / 1000)} s, and ${given} are given up`,
      )
    },
  }
}

const wasHeard = ({ livenessReason }: Node): boolean => livenessReason.startsWith('nothing heard')

/** Silent for certain: what has only just joined has never been heard. */
const silentOf = ({ node }: Records): ReadonlySet<string> =>
  new Set(
    [...node.values()]
      .filter((one) => one.liveness === 'suspect' && wasHeard(one))
      .map(({ name }) => name),
  )

/** Missing, perhaps. */
const missingOf = ({ node }: Records): number =>
  [...node.values()].filter(({ liveness }) => liveness === 'suspect' || liveness === 'down').length

const isGivenUp = (change: Changed): boolean =>
  change.kind === 'node' &&
  change.before?.liveness === 'suspect' &&
  change.after?.liveness === 'lost' &&
  wasHeard(change.after)
