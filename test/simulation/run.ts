import { isOpen } from '@bulkhead/shared'

import { forbidRealTime } from './guard.ts'
import { isConverged } from './invariants/converges.ts'
import type { Scenario } from './scenario/scenario.ts'
import { inTurns } from './turns.ts'
import { World, type Violation } from './world/world.ts'

export interface Result {
  readonly violation: Violation | null
  readonly hash: string
  readonly simulatedMs: number
  readonly events: number
  readonly lines: readonly string[]
  /** What was done and judged, and how often: for the census. */
  readonly counts: ReadonlyMap<string, number>
}

/** Once nothing fails any more, everything is as it should be within this time. */
const convergesWithinMs = 300_000
/** After that, what is due later (remains, prepared successors, balance) is done within this time … */
const settlesWithinMs = 300_000
/** … and then, for this time, nothing happens at all. */
const restMs = 60_000
const lookEveryMs = 500
const answersWithinMs = 5000
/** A run with more events than this goes round in circles. */
const maxEvents = 3_000_000

/** Plays a scenario to its end, or to the first broken promise. */
export async function run(
  scenario: Scenario,
  options: { readonly keepsTimeline?: boolean } = {},
): Promise<Result> {
  const world = new World(scenario, options.keepsTimeline ?? false)
  const player = new Player(world)
  const onCrash = (error: unknown): void => {
    world.fail(
      'no-fault-of-ours',
      `an error that nobody handles: ${error instanceof Error ? error.stack : String(error)}`,
    )
  }
  process.on('unhandledRejection', onCrash).on('uncaughtException', onCrash)
  const allowRealTime = forbidRealTime()
  try {
    await player.play()
  } finally {
    allowRealTime()
    process.off('unhandledRejection', onCrash).off('uncaughtException', onCrash)
  }
  const { violation, schedule, timeline } = world
  return {
    violation,
    hash: timeline.digest(),
    simulatedMs: schedule.nowMs,
    events: timeline.events,
    lines: timeline.lines,
    counts: world.counts,
  }
}

class Player {
  readonly #world: World

  constructor(world: World) {
    this.#world = world
  }

  async play(): Promise<void> {
    const world = this.#world
    world.begin()
    if (!(await this.#until(world.scenario.troubleMs))) return
    world.timeline.tell('all faults are mended')
    world.faults.mendAll()
    world.calm = true
    void this.#settle()
    const byMs = world.schedule.nowMs + convergesWithinMs
    for (;;) {
      if (!(await this.#until(world.schedule.nowMs + lookEveryMs))) return
      const missing = this.#final
        ? isConverged(world)
        : 'the operator has not been able to say what is wanted'
      if (missing === null) break
      if (world.schedule.nowMs > byMs) return world.fail('converges', missing)
    }
    world.timeline.tell('the cluster has converged')
    world.count('converges')
    await this.#rest()
  }

  #final = false

  /** The operator leaves everything open, resumed, and with programs that work. */
  async #settle(): Promise<void> {
    const { operator, records, nodes, schedule } = this.#world
    const retry = schedule.after(5000, 'the operator tries again', () => void this.#settle())
    for (const node of nodes) {
      if (!records.node.has(node.name)) continue
      if ((await operator.perform({ kind: 'uncordon', node: node.name })) === 'unreachable') return
    }
    for (const service of operator.sources.keys()) {
      const known = records.service.get(service)
      if (known && !known.deleting && !(await this.#finish(service))) return
    }
    for (const rollout of records.rollout.values()) {
      if (!isOpen(rollout) || rollout.phase !== 'paused') continue
      await operator.perform({ kind: 'resume', service: rollout.service })
    }
    if (nodes.some((node) => node.token === null || !records.node.has(node.name))) return
    retry.cancelled = true
    this.#final = true
  }

  /** Asks for a program that works, and for something easier when the nodes cannot have that. False: to be repeated. */
  async #finish(service: string): Promise<boolean> {
    const { operator } = this.#world
    const { name = '', replicas = 1, ports = {}, update = {} } = operator.sources.get(service) ?? {}
    const { strategy: _, steps: _steps, analysis: _analysis, keepOld: _keep, promote: _promote, ...rolling } = update
    // A second set that finds no room would take the service back to what it had, whatever that is.
    const change = { image: `registry.sim/${name}:good-final`, dependsOn: [], update: rolling }
    const simple = {
      placement: {},
      replicas: Math.min(replicas, 2),
      ports: 'http' in ports ? { http: 80 } : {},
    }
    let outcome = await operator.perform({ kind: 'change', service, change })
    if (outcome === 'refused')
      outcome = await operator.perform({ kind: 'change', service, change: simple }, true)
    return outcome !== 'unreachable'
  }

  async #rest(): Promise<void> {
    const world = this.#world
    const byMs = world.schedule.nowMs + settlesWithinMs
    let [quietSinceMs, before] = [world.schedule.nowMs, world.changes]
    while (world.schedule.nowMs - quietSinceMs < restMs) {
      if (!(await this.#until(world.schedule.nowMs + lookEveryMs))) return
      if (world.changes === before) continue
      if (world.schedule.nowMs > byMs) return this.#restless()
      before = world.changes
      quietSinceMs = world.schedule.nowMs
    }
    world.count('rests')
    const missing = isConverged(world)
    if (missing !== null) world.fail('converges', `it has come to rest, but ${missing}`)
    const questions = world.invariants.map(async (invariant) => invariant.onRest?.())
    let answered = false
    const noteAnswered = (): void => {
      answered = true
    }
    void Promise.all(questions).then(noteAnswered)
    if ((await this.#until(world.schedule.nowMs + answersWithinMs)) && !answered) {
      world.fail('converges', 'it has come to rest, and does not answer questions any more')
    }
  }

  /** Where something cannot be had, what is there in its place may go on failing. */
  #restless(): void {
    const stuck = [...this.#world.records.service.values()].find(
      ({ status }) => status !== 'converged',
    )
    if (!stuck)
      this.#world.fail(
        'rests',
        `something still happens ${settlesWithinMs / 1000} s after all is as it should be`,
      )
  }

  /** False when a promise was broken on the way. */
  async #until(atMs: number): Promise<boolean> {
    const world = this.#world
    let isAfterEvent = false
    await inTurns(() => {
      if (isAfterEvent) this.#afterEvent()
      if (world.violation !== null) return false
      isAfterEvent = this.#takeNext(atMs)
      return isAfterEvent
    })
    return world.violation === null
  }

  /** Lets happen what happens next; what promises it sets off is done in the next turn. False when there is nothing. */
  #takeNext(untilMs: number): boolean {
    const { schedule, timeline } = this.#world
    const next = schedule.take(untilMs)
    if (next === null) {
      schedule.nowMs = untilMs
      return false
    }
    timeline.event(next.label)
    try {
      next.run()
    } catch (error) {
      const text = error instanceof Error ? error.stack : String(error)
      this.#world.fail('no-fault-of-ours', `thrown: ${text}`)
    }
    return true
  }

  #afterEvent(): void {
    this.#world.afterEvent()
    if (this.#world.timeline.events > maxEvents) this.#world.fail('bounded', `more than ${maxEvents} events`)
  }
}
