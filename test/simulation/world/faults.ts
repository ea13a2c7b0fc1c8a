import type { FaultStep } from '../scenario/scenario.ts'
import type { SimContainer } from './engine.ts'
import type { SimNode } from './node.ts'
import type { World } from './world.ts'

/** Makes things go wrong, and right again. Of two faults of one kind at one place the later one decides. */
export class Faults {
  readonly #world: World
  readonly #latest = new Map<string, number>()
  readonly #open = new Map<string, () => void>()
  #count = 0

  constructor(world: World) {
    this.#world = world
  }

  befall(step: FaultStep): void {
    const { timeline } = this.#world
    const { kind, ...rest } = step
    timeline.tell(`fault: ${kind} ${JSON.stringify(rest)}`)
    this.#controlPlane(step)
    this.#node(step)
    this.#container(step)
  }

  /** Everything that is broken is mended, at once. */
  mendAll(): void {
    const mends = [...this.#open.values()]
    this.#open.clear()
    for (const mend of mends) mend()
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

  #controlPlane(step: FaultStep): void {
    const { controlPlane, controlHost: host, storeDisk, schedule } = this.#world
    switch (step.kind) {
      case 'control-plane-crash':
        controlPlane.crash()
        return this.#until(step.kind, step.forMs, () => controlPlane.start())
      case 'control-plane-suspended':
        host.suspendedUntilMs = schedule.nowMs + step.forMs
        return
      case 'control-plane-slow':
        host.slowness = step.factor
        return this.#until(step.kind, step.forMs, () => (host.slowness = 1))
      case 'store-full':
        storeDisk.full = true
        return this.#until(step.kind, step.forMs, () => (storeDisk.full = false))
      case 'control-plane-clock':
        host.skewMs += step.byMs
        return
      default:
    }
  }

  #node(step: FaultStep): void {
    const { network, schedule } = this.#world
    switch (step.kind) {
      case 'power-off': {
        const nodes = this.#world.nodes.filter(({ plan }) => plan.host === step.host)
        for (const node of nodes) node.powerOff()
        return this.#until(`power of ${step.host}`, step.forMs, () => {
          for (const node of nodes) node.powerOn()
        })
      }
      case 'cut':
        for (const node of this.#nodes(step.nodes)) {
          const { direction } = step
          network.stall(node.link, { up: direction !== 'down', down: direction !== 'up' })
          this.#until(`link of ${node.name}`, step.forMs, () => network.stall(node.link, { up: false, down: false }))
        }
        return
      case 'break':
        for (const node of this.#nodes(step.nodes)) network.break(node.link, step.ends)
        return
      default:
    }
    if (!('node' in step)) return
    const [node] = this.#nodes([step.node])
    if (node) this.#machine(step, node, schedule.nowMs)
  }

  #machine(step: FaultStep, node: SimNode, nowMs: number): void {
    const { engine, host, disk } = node
    const lastsMs = 'forMs' in step ? step.forMs : 0
    node.troubledAtMs = Math.max(node.troubledAtMs, nowMs + lastsMs)
    switch (step.kind) {
      case 'agent-crash':
        node.killAgent()
        return this.#until(`agent of ${node.name}`, step.forMs, () => node.startAgent())
      case 'agent-restart':
        return node.restartAgent()
      case 'engine-down':
        engine.stop(step.containersDie)
        return this.#until(`engine of ${node.name}`, step.forMs, () => (engine.up = host.up))
      case 'suspended':
        host.suspendedUntilMs = nowMs + step.forMs
        return
      case 'slow':
        host.slowness = step.factor
        return this.#until(`speed of ${node.name}`, step.forMs, () => (host.slowness = 1))
      case 'slow-network':
        node.latency = step.factor
        return this.#until(`latency of ${node.name}`, step.forMs, () => (node.latency = 1))
      case 'events-break':
        return engine.breakEvents()
      case 'clock':
        host.skewMs += step.byMs
        return
      case 'disk-full':
        disk.full = true
        return this.#until(`disk of ${node.name}`, step.forMs, () => (disk.full = false))
      case 'engine-full':
        engine.fullUntilMs = nowMs + step.forMs
        return
      case 'pulls-fail':
        engine.pullsFailUntilMs = nowMs + step.forMs
        return
      case 'pulls-stall':
        engine.pullsStallUntilMs = nowMs + step.forMs
        return
      default:
    }
  }

  #container(step: FaultStep): void {
    if (!('choice' in step)) return
    const [node] = this.#nodes([step.node])
    const container = node && pickRunning(node, step.choice)
    if (!node || !container) return
    const { engine } = node
    const { program, info } = container
    this.#world.spoil(info.labels['bulkhead.instance'] ?? '')
    switch (step.kind) {
      case 'container-crash':
        return engine.end(container, step.oom ? 137 : 1, step.oom)
      case 'container-hang':
        if (program) program.hangs = true
        return
      case 'container-vanish':
        return engine.remove(info.id)
      case 'container-fails':
        if (program) program.failsUntilMs = engine.nowMs + step.forMs
        return
      default:
    }
  }

  #nodes(names: readonly string[]): SimNode[] {
    return this.#world.nodes.filter(({ name }) => names.includes(name))
  }
}

/** One of the containers of ours that run. */
function pickRunning({ engine }: SimNode, choice: number): SimContainer | undefined {
  const running = engine.running().filter(({ info }) => !engine.foreign.has(info.id))
  return running[choice % Math.max(running.length, 1)]
}
