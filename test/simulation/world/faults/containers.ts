import { ownership } from '../../../../packages/agent/src/index.ts'
import type { SimContainer, SimEngine } from '../engine.ts'
import type { World } from '../world.ts'
import type { FaultHandlers } from './handlers.ts'

type Kinds = 'container-crash' | 'container-hang' | 'container-vanish' | 'container-fails'

/** One of the containers of ours that run. */
function pickRunning(engine: SimEngine, choice: number): SimContainer | undefined {
  const running = engine.running().filter(({ info }) => !engine.foreign.has(info.id))
  return running[choice % Math.max(running.length, 1)]
}

export function containerFaults(world: World): FaultHandlers<Kinds> {
  const pick = (
    { node, choice }: { readonly node: string; readonly choice: number },
    harm: (container: SimContainer, engine: SimEngine) => void,
  ): void => {
    const engine = world.nodeOf(node)?.engine
    const container = engine && pickRunning(engine, choice)
    if (!engine || !container) return
    world.spoil(container.info.labels[ownership.instance] ?? '')
    harm(container, engine)
  }
  return {
    'container-crash': (step) =>
      pick(step, (container, engine) => engine.end(container, step.oom ? 137 : 1, step.oom)),
    'container-hang': (step) =>
      pick(step, ({ program }) => {
        if (program) program.hangs = true
      }),
    'container-vanish': (step) => pick(step, ({ info }, engine) => engine.remove(info.id)),
    'container-fails': (step) =>
      pick(step, ({ program }, engine) => {
        if (program) program.failsUntilMs = engine.nowMs + step.forMs
      }),
  }
}
