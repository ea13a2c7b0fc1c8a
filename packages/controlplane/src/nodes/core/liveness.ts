import { formatDuration, type Liveness } from '@bulkhead/shared'

import type { NodesConfig } from '../../config/config.ts'

/** What is known of a node at the time of judgement. Times are monotonic milliseconds of the control plane. */
export interface Heard {
  readonly name: string
  readonly liveness: Liveness
  /** When its agent was last heard from in a session with an inventory; null: not since our start. */
  readonly heardAtMs: number | null
  /** Empty when its engine answers. */
  readonly engineProblem: string
  /** Since when it does not; null when it does. */
  readonly engineDownSinceMs: number | null
  readonly confirmedDead: boolean
}

export interface Verdict {
  readonly name: string
  readonly liveness: Liveness
  readonly reason: string
}

/** Holds while many are missing, and for a moment after. */
export interface Brake {
  readonly sinceMs: number
  /** When many were last missing. */
  readonly manyAtMs: number
}

export interface Judgement {
  /** Only nodes whose liveness changes. */
  readonly verdicts: readonly Verdict[]
  /** Null when it does not hold. To be passed in at the next judgement. */
  readonly brake: Brake | null
}

/** Once so many `lostAfter` have gone by since others of a mass came back, what is left has a cause of its own. */
const restFactor = 4

/**
 * Decides who is ready, suspect, lost or down. A node whose engine stays down is lost in the end, though its agent
 * is there. Unknown is not dead: during the grace after our own start, or after our own store has failed, nobody new
 * is judged, and when many fall silent at once the brake keeps them suspect, up to a limit; the last ones of them only
 * for as long as those that are back suggest that they will be, too.
 */
export function judge(
  nodes: readonly Heard[],
  nowMs: number,
  listensSinceMs: number,
  brake: Brake | null,
  config: NodesConfig,
): Judgement {
  const silence = (node: Heard): number => nowMs - (node.heardAtMs ?? listensSinceMs)
  const downtime = (node: Heard): number => nowMs - (node.engineDownSinceMs ?? nowMs)
  const present = nodes.filter((node) => !node.confirmedDead && node.liveness !== 'lost')
  const isSilent = (node: Heard): boolean => silence(node) >= config.suspectAfterMs
  const silent = present.filter(isSilent)
  const helpless = present.filter((node) => !isSilent(node) && downtime(node) >= config.downAfterMs)
  const missing = silent.length + helpless.length
  const many = missing >= 2 && missing > config.massLossBrake * nodes.length
  const restMs = restFactor * config.lostAfterMs
  // Those that come back leave fewer than a mass: the rest may have the same cause, and be back as soon.
  const lingers = brake !== null && missing > 0 && nowMs - brake.manyAtMs < restMs
  const sinceMs = brake?.sinceMs ?? nowMs
  const next = many ? { sinceMs, manyAtMs: nowMs } : lingers ? brake : null
  const braked = next !== null && nowMs - next.sinceMs < config.massLossHoldMs
  const kinds = helpless.length > 0 ? 'silent or without an engine' : 'silent'
  const situation: Situation = {
    inGrace: nowMs - listensSinceMs < config.restartGraceMs,
    brake: !braked
      ? ''
      : many
        ? `; ${missing} of ${nodes.length} nodes are ${kinds} at once, so none is given up before ${formatDuration(config.massLossHoldMs)}`
        : `; others that were missing with it have just come back, so it is not given up before ${formatDuration(restMs)} after them`,
    config,
  }
  const verdicts: Verdict[] = []
  for (const node of nodes) {
    const verdict = verdictOn(node, silence(node), downtime(node), situation)
    if (verdict && verdict.liveness !== node.liveness) verdicts.push({ name: node.name, ...verdict })
  }
  return { verdicts, brake: next }
}

interface Situation {
  readonly inGrace: boolean
  /** Empty when the brake does not hold. */
  readonly brake: string
  readonly config: NodesConfig
}

const inSeconds = (ms: number): string => formatDuration(Math.round(ms / 1000) * 1000)

function verdictOn(
  node: Heard,
  silentMs: number,
  downMs: number,
  { inGrace, brake, config }: Situation,
): { liveness: Liveness; reason: string } | null {
  if (node.confirmedDead) return { liveness: 'lost', reason: 'an operator confirmed that it is dead' }
  if (silentMs < config.suspectAfterMs) {
    if (node.heardAtMs === null) return null
    if (node.engineProblem === '') return { liveness: 'ready', reason: '' }
    // Its containers may live on without their engine, but nobody can tell, mend or stop them.
    if (node.liveness === 'lost') return null
    if (downMs >= config.downAfterMs && brake === '') {
      return { liveness: 'lost', reason: `its engine has not answered for ${inSeconds(downMs)}: ${node.engineProblem}` }
    }
    return { liveness: 'down', reason: `its engine does not answer: ${node.engineProblem}${brake}` }
  }
  if (inGrace || node.liveness === 'lost') return null
  const reason = `nothing heard from its agent for ${formatDuration(Math.round(silentMs / 100) * 100)}`
  if (silentMs >= config.lostAfterMs && brake === '') return { liveness: 'lost', reason }
  return { liveness: 'suspect', reason: reason + brake }
}
