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

export interface Judgement {
  /** Only nodes whose liveness changes. */
  readonly verdicts: readonly Verdict[]
  /** Since when the brake holds; null when it does not. To be passed in at the next judgement. */
  readonly brakeSinceMs: number | null
}

/**
 * Decides who is ready, suspect, lost or down. A node whose engine stays down is lost in the end, though its agent
 * is there. Unknown is not dead: during the grace after our own start, or after our own store has failed, nobody new
 * is judged, and when many fall silent at once the brake keeps them suspect, up to a limit.
 */
export function judge(
  nodes: readonly Heard[],
  nowMs: number,
  listensSinceMs: number,
  brakeSinceMs: number | null,
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
  // Those that come back leave fewer than a mass: the rest has the same cause, and the same time to return.
  const holds = many || (brakeSinceMs !== null && missing > 0)
  const since = holds ? (brakeSinceMs ?? nowMs) : null
  const braked = since !== null && nowMs - since < config.massLossHoldMs
  const situation: Situation = {
    inGrace: nowMs - listensSinceMs < config.restartGraceMs,
    brake: braked
      ? `; ${missing} of ${nodes.length} nodes are silent${helpless.length > 0 ? ' or without an engine' : ''} at once, ` +
        `so none is given up before ${formatDuration(config.massLossHoldMs)}`
      : '',
    config,
  }
  const verdicts: Verdict[] = []
  for (const node of nodes) {
    const verdict = verdictOn(node, silence(node), downtime(node), situation)
    if (verdict && verdict.liveness !== node.liveness) verdicts.push({ name: node.name, ...verdict })
  }
  return { verdicts, brakeSinceMs: since }
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
