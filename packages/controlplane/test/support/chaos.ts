import {
  BulkheadError,
  nodeLabels,
  type Node,
  type Service,
  type ServiceSource,
} from '@bulkhead/shared'

import { pauseRollout, resumeRollout } from '../../src/rollout/core/pause.ts'
import { promoteRollout } from '../../src/rollout/core/promote.ts'
import { MemoryState } from './memory-state.ts'
import { Random } from './random.ts'
import { aNode, apply, gib } from './records.ts'
import { promises } from './rules.ts'
import { World } from './world.ts'

type Source = Partial<ServiceSource> & { readonly name: string }

const levels = ['node', 'host', 'rack']
const names = ['api', 'billing', 'web']

function randomNode(random: Random, name: string): Node {
  const rack = random.chance(0.8) ? `r${random.integer(1, 3)}` : null
  const zones = random.chance(0.85) ? ['application'] : ['data']
  return aNode(name, {
    facts: {
      zones: random.chance(0.1) ? ['application', 'data'] : zones,
      environments: random.chance(0.2) ? [] : ['default'],
      capacity: { cpuMillis: random.integer(2, 8) * 250, memoryBytes: 2 * gib },
    },
    domain: { rack, host: `h${random.integer(1, 5)}` },
    labels: random.chance(0.6) ? { disk: 'ssd' } : {},
  })
}

function randomService(random: Random, name: string): Source {
  const separate: { from: string; by: string }[] = []
  if (random.chance(0.4)) separate.push({ from: 'self', by: random.pick(levels) ?? 'node' })
  if (random.chance(0.3)) {
    const from = random.pick(names.filter((other) => other !== name)) ?? 'self'
    separate.push({ from, by: random.pick(levels) ?? 'node' })
  }
  const exclusive = random.chance(0.25)
  const update = randomUpdate(random, exclusive)
  return {
    name,
    replicas: random.integer(0, 4),
    dependsOn: name === 'web' && random.chance(0.3) ? ['api'] : [],
    image: 'good:1',
    exclusive,
    ports: random.chance(0.3) ? { http: { port: 80, host: 8080 }, admin: 81 } : { http: 80 },
    placement: {
      separate,
      spread: random.chance(0.5) ? ['rack'] : [],
      prefer: random.chance(0.3) ? [{ match: 'disk=ssd', weight: 5 }] : [],
      require: random.chance(0.2) ? ['disk=ssd'] : [],
    },
    update,
    restart: { delay: '1s', maxDelay: '10s', resetAfter: '60s' },
  }
}

function randomUpdate(random: Random, exclusive: boolean): NonNullable<Source['update']> {
  const maxSurge = random.integer(0, 2)
  const common = {
    maxSurge,
    maxUnavailable: random.integer(maxSurge === 0 ? 1 : 0, 2),
    minHealthyTime: '2s',
    progressDeadline: '60s',
    onFailure: random.chance(0.7) ? ('rollback' as const) : ('pause' as const),
  }
  const strategy = exclusive ? 'rolling' : random.pick(['rolling', 'canary', 'blue-green'] as const)
  if (strategy === 'canary') {
    const pause = (): string => (random.chance(0.2) ? 'manual' : random.chance(0.3) ? '0s' : '8s')
    const weights = [random.integer(1, 30), random.integer(40, 80)]
    return { ...common, strategy, steps: weights.map((weight) => ({ weight, pause: pause() })) }
  }
  if (strategy !== 'blue-green') return common
  const promote = random.chance(0.25) ? 'manual' : 'auto'
  return { ...common, strategy, keepOld: random.chance(0.2) ? '0s' : '12s', promote }
}

/** A random cluster and what befalls it; one seed, one history. */
export class Chaos {
  readonly world: World
  readonly random: Random
  readonly sources = new Map<string, Source>()
  log: string[] = []
  #counter = 0

  constructor(seed: number) {
    this.random = new Random(seed)
    this.world = new World(new MemoryState(), this.random)
    this.world.watchers.push(promises(this.world))
    this.world.trouble = { crash: 0.02, sickness: 0.02, refusal: 0.03 }
    const count = this.random.integer(1, 7)
    for (let index = 1; index <= count; index++) {
      this.world.state.putNode(randomNode(this.random, `n${index}`))
    }
    for (const name of names) this.applyService(randomService(this.random, name))
  }

  applyService(source: Source): void {
    this.sources.set(source.name, source)
    this.log.push(`apply ${source.name} ${source.image} x ${source.replicas}`)
    apply(this.world.state, source)
  }

  step(): void {
    this.world.movesLeft = this.random.integer(0, 1)
    if (this.random.chance(0.35)) this.#operate()
    if (this.random.chance(0.25)) this.#befall()
    this.world.settle()
    if (this.random.chance(0.3)) this.world.checkQuiet()
    this.world.turn(this.random.pick([100, 700, 2000, 5000, 15_000]) ?? 100)
    this.world.settle()
  }

  #operate(): void {
    const name = this.random.pick(names) ?? 'api'
    const key = `default/${name}`
    const source = this.sources.get(name)
    const service = this.world.state.services.get(key)
    if (service?.deleting) return
    if (!source || !service) {
      this.applyService(randomService(this.random, name))
      return
    }
    const { random } = this
    const choice = random.integer(0, 10)
    if (choice < 3) {
      this.#counter += 1
      const character = random.pick([
        'good',
        'good',
        'good',
        'crashes',
        'sick',
        'never-starts',
        'errors',
      ])
      this.applyService({ ...source, image: `${character}:${this.#counter}` })
    } else if (choice === 3) {
      this.applyService({ ...source, replicas: random.integer(0, 5) })
    } else if (choice === 4) {
      const { placement } = randomService(random, name)
      if (placement) this.applyService({ ...source, placement })
    } else if (choice === 8) {
      const { update, exclusive } = randomService(random, name)
      if (update) this.applyService({ ...source, update, exclusive: exclusive ?? false })
    } else if (choice === 5) this.#pauseOrResume(key)
    else if (choice > 8) this.#promote(service)
    else if (choice === 6) this.applyService({ ...source, image: 'good:1' })
    else if (random.chance(0.3)) {
      this.log.push(`delete ${name}`)
      this.world.state.putService({ ...service, deleting: true })
    }
  }

  #pauseOrResume(key: string): void {
    const { state } = this.world
    const rollout = state.openRolloutOf(key)
    if (!rollout) return
    const phase = rollout.phase === 'paused' ? 'progressing' : 'paused'
    this.log.push(`${phase} ${rollout.id}`)
    const service = state.services.get(key)
    if (service) (phase === 'paused' ? pauseRollout : resumeRollout)(state, service)
  }

  #promote(service: Service): void {
    const { state } = this.world
    const full = this.random.chance(0.3)
    if (!state.openRolloutOf(service.key)?.shift) return
    this.log.push(`promote ${service.key}${full ? ' to the end' : ''}`)
    try {
      promoteRollout(state, service, full)
    } catch (error) {
      if (!(error instanceof BulkheadError)) throw error
    }
  }

  #befall(): void {
    const { random, world } = this
    const { state } = world
    const node = random.pick(
      [...state.nodes.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
    )
    const choice = random.integer(0, 9)
    if (choice === 9 || !node) {
      this.#counter += 1
      const name = `n${100 + this.#counter}`
      this.log.push(`join ${name}`)
      state.putNode(randomNode(random, name))
      return
    }
    const { nowMs } = state
    this.log.push(`${choice} befalls ${node.name}`)
    if (choice === 0 && !node.confirmedDead) world.cut(node)
    else if (choice === 1) world.lose(node)
    else if (choice === 2 && node.liveness === 'lost') world.confirmDead(node)
    else if (choice === 3 && node.liveness !== 'ready') world.remove(node)
    else if (choice === 4) state.putNode({ ...node, admittance: 'cordoned', drainDueAtMs: null })
    else if (choice === 5) {
      const drainDueAtMs = random.chance(0.5) ? nowMs + 20_000 : null
      state.putNode({ ...node, admittance: 'draining', drainDueAtMs })
    } else if (choice === 6) state.putNode({ ...node, admittance: 'open', drainDueAtMs: null })
    else if (choice === 7) {
      const rack = random.chance(0.8) ? { rack: `r${random.integer(1, 3)}` } : {}
      state.putNode({ ...node, labels: { ...node.labels, ...rack } })
    } else if (node.liveness !== 'ready') world.return(node)
  }

  /** Nodes enough for everything, each in a domain of its own, and no domain that is not known. */
  makeRoom(): void {
    for (const node of this.world.state.nodes.values()) {
      if (nodeLabels(node)['rack'] !== undefined) continue
      this.world.state.putNode({ ...node, labels: { ...node.labels, rack: node.name } })
    }
    for (let index = 1; index <= 16; index++) {
      const own = `room-${index}`
      this.world.state.putNode(
        aNode(own, {
          facts: {
            zones: ['application', 'data'],
            environments: [],
            capacity: { cpuMillis: 64_000, memoryBytes: 64 * gib },
          },
          domain: { rack: own, host: own },
          labels: { disk: 'ssd' },
        }),
      )
    }
  }

  /** No more trouble: everything that is there works, and nobody does anything. */
  heal(): void {
    const { world } = this
    const { state } = world
    world.trouble = { crash: 0, sickness: 0, refusal: 0 }
    for (const node of state.nodes.values()) {
      world.return(node)
      const back = state.nodes.get(node.name)
      if (back) state.putNode({ ...back, admittance: 'open', drainDueAtMs: null })
    }
    for (const [name, source] of this.sources) {
      const service = state.services.get(`default/${name}`)
      if (service && !service.deleting) this.applyService({ ...source, image: 'good:last' })
    }
    world.movesLeft = 1
    for (let turn = 0; turn < 400; turn++) {
      for (const service of state.services.values()) {
        const { phase, shift } = state.openRolloutOf(service.key) ?? {}
        // Who waits for somebody is not left alone.
        const waits = shift && !shift.done && shift.reachedAtMs !== null && shift.dueAtMs === null
        if (waits && phase === 'progressing') this.#promote(service)
      }
      const steps = world.settle()
      world.turn(2000)
      if (steps === 0 && turn > 100 && world.settle() === 0 && world.dueAtMs === null) return
    }
  }
}
