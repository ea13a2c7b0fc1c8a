import { Random } from '../random.ts'
import type { NodePlan, OperatorStep, Step } from './scenario.ts'

/** Nobody reacts faster, or after longer. */
const reactsWithinMs = { least: 200, most: 15_000 } as const
/** Longer than a node may be without an engine before it is given up. */
const longDownMs = { least: 65_000, most: 100_000 } as const

/** The machine that something goes wrong with, for as long as somebody might notice. */
function troubled(step: Step, nodes: readonly NodePlan[], random: Random): string | null {
  if (step.kind === 'power-off')
    return random.pick(nodes.filter(({ host }) => host === step.host)).name
  if (step.kind === 'cut') return step.nodes.length === 0 ? null : random.pick(step.nodes)
  const isOfOne =
    step.kind === 'engine-down' || step.kind === 'agent-crash' || step.kind === 'suspended'
  return isOfOne && step.forMs > reactsWithinMs.least ? step.node : null
}

function reaction(random: Random, node: string): OperatorStep {
  return random.pick<OperatorStep>([
    { kind: 'confirm-dead', node },
    { kind: 'confirm-dead', node },
    { kind: 'confirm-dead', node },
    { kind: 'drain', node, deadlineMs: random.chance(0.5) ? random.integer(1000, 30_000) : null },
    { kind: 'cordon', node },
    { kind: 'remove', node },
  ])
}

/**
 * In a third of the seeds an operator acts on a machine that has just got into trouble, rightly or not; and of some
 * that have no engine the agent begins anew, without what it knew.
 */
export function drawReactions(
  seed: number,
  nodes: readonly NodePlan[],
  steps: readonly Step[],
  troubleMs: number,
): readonly Step[] {
  const random = Random.of(seed, 'reactions')
  if (random.chance(0.67)) return []
  const more: Step[] = []
  if (random.chance(0.4)) {
    const { name: node } = random.pick(nodes)
    const forMs = random.integer(longDownMs.least, longDownMs.most)
    const atMs = random.integer(8000, 20_000)
    more.push({ atMs, kind: 'engine-down', node, forMs, containersDie: random.chance(0.3) })
  }
  for (const step of [...steps, ...more]) {
    const node = troubled(step, nodes, random)
    if (node === null || !('forMs' in step)) continue
    if (step.kind === 'engine-down' && random.chance(0.3)) {
      const atMs = step.atMs + random.integer(0, 500)
      more.push({ atMs, kind: 'journal-lost', node, forMs: random.integer(50, 1500) })
    }
    if (!random.chance(0.4)) continue
    const mostMs = Math.min(step.forMs, reactsWithinMs.most)
    const atMs = Math.floor(step.atMs + random.between(reactsWithinMs.least, mostMs))
    const done = reaction(random, node)
    more.push({ atMs, ...done })
    const isShut = done.kind === 'drain' || done.kind === 'cordon'
    if (isShut) more.push({ atMs: atMs + random.integer(5000, 20_000), kind: 'uncordon', node })
  }
  return more.filter(({ atMs }) => atMs < troubleMs)
}
