import type { ControlPlane } from './control-plane.ts'
import type { Fleet } from './fleet/fleet.ts'
import { inState, isConverged } from './look.ts'
import { cpuSeconds, progress, seconds, until } from './measure.ts'

export interface LossFigures {
  readonly nodes: number
  /** From the silence until all of them are suspect. */
  readonly suspectS: number
  /** Back within the hold: until all are ready and everything converged again, and how many instances were moved. */
  readonly backS: number
  readonly movedWhileHeld: number
  /** From the silence until the brake lets go and all of them are lost. */
  readonly lostS: number
  /** From then on until every instance is replaced and healthy, and how many there were. */
  readonly replacedS: number
  readonly replacements: number
  readonly replacingCpuS: number
  /** From the return of the agents until what is left over on them is gone and everything is ready. */
  readonly returnedS: number
}

/** The nodes fall silent at once: first for a moment, then for good, and then they come back after all. */
export async function measureLoss(
  plane: ControlPlane,
  fleet: Fleet,
  nodes: number,
): Promise<LossFigures> {
  const all = plane.state.view.nodes.size
  const placements = countCreated(plane)

  let since = performance.now()
  await fleet.tell({ kind: 'cut', count: nodes })
  await until('suspicion', () => inState(plane, 'suspect') >= nodes)
  const suspectS = seconds(performance.now() - since)
  progress(`${nodes} suspect after ${suspectS} s`)
  since = performance.now()
  await fleet.tell({ kind: 'restore' })
  await until('the return', () => inState(plane, 'ready') === all && isConverged(plane))
  const backS = seconds(performance.now() - since)
  const movedWhileHeld = placements()
  progress(`back after ${backS} s, ${movedWhileHeld} moved`)

  since = performance.now()
  await fleet.tell({ kind: 'cut', count: nodes })
  await until('the loss', () => inState(plane, 'lost') >= nodes)
  const lostS = seconds(performance.now() - since)
  progress(`lost after ${lostS} s`)
  since = performance.now()
  const cpuBefore = process.cpuUsage()
  await until('replacing', () => isConverged(plane))
  const replacedS = seconds(performance.now() - since)
  const replacingCpuS = cpuSeconds(cpuBefore)
  const replacements = placements() - movedWhileHeld
  progress(`${replacements} replaced after ${replacedS} s`)

  since = performance.now()
  await fleet.tell({ kind: 'restore' })
  await until('the late return', () => inState(plane, 'ready') === all && leftOver(plane) === 0)
  const returnedS = seconds(performance.now() - since)
  const figures = { nodes, suspectS, backS, movedWhileHeld, lostS, replacedS, replacements }
  return { ...figures, replacingCpuS, returnedS }
}

function countCreated({ state, signal }: ControlPlane): () => number {
  let count = 0
  state.feed.subscribe(({ changes }) => {
    for (const change of changes) if (change.kind === 'instance' && !change.before) count++
  }, signal)
  return () => count
}

/** Given up with its node, and not yet known to be gone. */
function leftOver({ state }: ControlPlane): number {
  let count = 0
  for (const { lostAtMs, observed } of state.view.instances.values()) {
    if (lostAtMs !== null && observed.state !== 'stopped' && observed.state !== 'failed') count++
  }
  return count
}
