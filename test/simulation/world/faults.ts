import type { FaultStep } from '../scenario/scenario.ts'
import { containerFaults } from './faults/containers.ts'
import { controlPlaneFaults } from './faults/control-plane.ts'
import type { FaultHandlers, Until } from './faults/handlers.ts'
import { linkFaults } from './faults/links.ts'
import { machineFaults } from './faults/machines.ts'
import type { World } from './world.ts'

/** Makes things go wrong, and right again. Of two faults of one kind at one place the later one decides. */
export class Faults {
  readonly #world: World
  readonly #handlers: FaultHandlers
  readonly #latest = new Map<string, number>()
  readonly #open = new Map<string, () => void>()
  #count = 0

  constructor(world: World) {
    this.#world = world
    const until: Until = (place, forMs, mend) => this.#until(place, forMs, mend)
    this.#handlers = {
      ...controlPlaneFaults(world, until),
      ...linkFaults(world, until),
      ...machineFaults(world, until),
      ...containerFaults(world),
    }
  }

  befall(step: FaultStep): void {
    const { kind, ...rest } = step
    this.#world.timeline.tell(`fault: ${kind} ${JSON.stringify(rest)}`)
    // The handler of a kind takes the steps of that kind, which the compiler cannot see.
    const handler = this.#handlers[kind] as (step: FaultStep) => void
    handler(step)
  }

  /** Everything that is broken is mended, at once. */
  mendAll(): void {
    const mends = [...this.#open.values()]
    this.#open.clear()
    for (const mend of mends) mend()
    for (const { engine } of this.#world.nodes) {
      engine.fullUntilMs = 0
      engine.pullsFailUntilMs = 0
    }
  }

  #until(place: string, forMs: number, mend: () => void): void {
    this.#count += 1
    const count = this.#count
    this.#latest.set(place, count)
    this.#open.set(place, mend)
    this.#world.schedule.after(forMs, `mend ${place}`, () => {
      if (this.#latest.get(place) !== count || !this.#open.delete(place)) return
      this.#world.timeline.tell(`mended: ${place}`)
      mend()
    })
  }
}
