import fc from 'fast-check'
import t from 'tap'

import { isAlive } from '../../src/core/container.ts'
import { isFinal } from '../../src/core/lineage.ts'
import { ownership } from '../../src/core/ownership.ts'
import { plan } from '../../src/core/plan.ts'
import type { RefusalKind } from '../../src/core/settle.ts'
import { Model } from '../support/model.ts'
import { assignment, template } from '../support/templates.ts'

/** What can happen to an agent, each on the slot `slot` where it matters. */
type Happening =
  | {
      readonly kind:
        | 'assign'
        | 'stop'
        | 'done'
        | 'take-note'
        | 'remove'
        | 'condemn'
        | 'pause'
        | 'detach'
      readonly slot: number
    }
  | { readonly kind: 'revive'; readonly which: number }
  | { readonly kind: 'crash'; readonly slot: number; readonly exitCode: number }
  | { readonly kind: 'health'; readonly slot: number; readonly healthy: boolean }
  | { readonly kind: 'full'; readonly slots: readonly number[] }
  | { readonly kind: 'engine'; readonly ready: boolean }
  | {
      readonly kind: 'refuse'
      readonly action: 'create' | 'start' | 'pull' | 'remove' | 'signal' | 'kill'
      readonly refusal: RefusalKind
    }
  | { readonly kind: 'time'; readonly ms: number }

const slot = fc.integer({ min: 0, max: 2 })
const refusal = fc.constantFrom<RefusalKind>(
  'unreachable',
  'no-such-container',
  'no-such-image',
  'conflict',
  'port-taken',
  'no-space',
  'pull-failed',
  'refused',
)
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.record({
    kind: fc.constantFrom(
      'assign',
      'stop',
      'done',
      'take-note',
      'remove',
      'condemn',
      'pause',
      'detach',
    ),
    slot,
  }),
  fc.record({ kind: fc.constant('crash'), slot, exitCode: fc.constantFrom(0, 1, 137) }),
  fc.record({ kind: fc.constant('revive'), which: fc.nat({ max: 20 }) }),
  fc.record({ kind: fc.constant('health'), slot, healthy: fc.boolean() }),
  fc.record({ kind: fc.constant('full'), slots: fc.subarray([0, 1, 2]) }),
  fc.record({ kind: fc.constant('engine'), ready: fc.boolean() }),
  fc.record({
    kind: fc.constant('refuse'),
    action: fc.constantFrom('create', 'start', 'pull', 'remove', 'signal', 'kill'),
    refusal,
  }),
  fc.record({
    kind: fc.constant('time'),
    ms: fc.constantFrom(10, 1000, 3000, 15_000, 120_000, -3_600_000),
  }),
)

const image = { name: 'r/web:1', reference: 'r/web@sha256:1', digest: 'sha256:1', local: false }
const ports = { http: { port: 80, protocol: 'tcp', host: null } } as const

/** The model and the control plane's side of it: which instance each slot was last assigned. */
class World {
  readonly model = new Model()
  readonly #assigned = new Map<number, string>()
  readonly #generations = new Map<number, number>()

  happen(what: Happening): void {
    this.#apply(what)
    this.model.settle()
    this.#checkRest()
  }

  #apply(what: Happening): void {
    const { model } = this
    switch (what.kind) {
      case 'assign': {
        const generation = (this.#generations.get(what.slot) ?? 0) + 1
        if (this.#assigned.has(what.slot)) return
        this.#generations.set(what.slot, generation)
        this.#assigned.set(what.slot, `web-${what.slot}-g${generation}`)
        return this.#send(what.slot, 'run')
      }
      case 'stop':
        return this.#send(what.slot, 'stop')
      case 'done': {
        const id = this.#assigned.get(what.slot)
        this.#assigned.delete(what.slot)
        return model.accept({ from: 1, upserts: [], removes: id === undefined ? [] : [id] })
      }
      case 'take-note': {
        const lineage = this.#lineage(what.slot)
        if (!lineage || lineage.assignment.desired === 'stop' || lineage.abandoned) return
        this.#assigned.set(what.slot, lineage.current.id)
        return this.#send(what.slot, 'run')
      }
      case 'full': {
        for (const other of this.#assigned.keys()) {
          if (!what.slots.includes(other)) this.#assigned.delete(other)
        }
        const upserts = [...this.#assigned].map(([index, id]) => this.#assignment(index, id, 'run'))
        return model.accept({ from: null, upserts, removes: [] })
      }
      case 'crash':
        return model.end(this.#containerId(what.slot), what.exitCode)
      case 'revive': {
        const all = [...model.containers.keys()]
        return model.revive(all[what.which % all.length] ?? '')
      }
      case 'remove':
        model.containers.delete(this.#containerId(what.slot))
        return
      case 'pause':
        return model.alter(this.#containerId(what.slot), { state: 'paused' })
      case 'detach':
        return model.alter(this.#containerId(what.slot), { isDetached: true })
      case 'health':
      case 'condemn': {
        const id = this.#lineage(what.slot)?.current.id
        if (id === undefined) return
        const fatal = what.kind === 'condemn' ? 'a probe failed' : ''
        const health = what.kind === 'health' && what.healthy ? 'healthy' : 'unhealthy'
        model.health.set(id, { health, reason: health, fatal })
        return
      }
      case 'engine':
        model.engineReady = what.ready
        return
      case 'refuse':
        model.refusals.set(what.action, what.refusal)
        return
      case 'time':
        model.nowMs += what.ms
    }
  }

  #send(index: number, desired: 'run' | 'stop'): void {
    const id = this.#assigned.get(index)
    if (id === undefined) return
    this.model.accept({ from: 1, upserts: [this.#assignment(index, id, desired)], removes: [] })
  }

  #assignment(index: number, instance: string, desired: 'run' | 'stop') {
    const exclusive = index === 1
    return assignment({
      instance,
      slot: index,
      desired,
      template: template({ image, ports, exclusive }),
    })
  }

  #lineage(index: number) {
    const id = this.#assigned.get(index)
    return [...this.model.lineages.values()].find(({ origin }) => origin === id)
  }

  #containerId(index: number): string {
    const id = this.#lineage(index)?.current.id
    const found = [...this.model.containers.values()].find(
      ({ labels }) => labels[ownership.instance] === id,
    )
    return found?.id ?? ''
  }

  /** With nothing changed, planning again asks for nothing. */
  #checkRest(): void {
    const { model } = this
    for (const lineage of model.lineages.values()) {
      const isSettled = model.engineReady
      if (isSettled && model.live(lineage).length > 1) throw new Error('two live containers')
      const { actions } = plan(model.view(lineage), model.nowMs)
      if (actions.length > 0) throw new Error(`not at rest: ${JSON.stringify(actions)}`)
    }
  }

  /** Left alone for long enough, with an engine that does what it is asked, all is as it should be. */
  calm(): void {
    const { model } = this
    model.engineReady = true
    model.refusals.clear()
    model.health.clear()
    for (let round = 0; round < 20; round++) {
      model.nowMs += 120_000
      model.settle()
    }
    for (const lineage of model.lineages.values()) {
      const { current, assignment: assigned } = lineage
      const { container } = model.view(lineage)
      const isServed = container !== null && isAlive(container)
      if (lineage.abandoned) throw new Error('an abandoned lineage is never forgotten')
      if (assigned.desired === 'stop' && !isFinal(current)) throw new Error('never stopped')
      if (assigned.desired === 'run' && !isFinal(current) && !isServed)
        throw new Error('not served')
      if (isFinal(current) && container !== null) throw new Error('something is left')
    }
  }
}

t.test('whatever happens', async () => {
  fc.assert(
    fc.property(fc.array(happening, { minLength: 5, maxLength: 40, size: 'max' }), (happenings) => {
      const world = new World()
      for (const index of [0, 1]) world.happen({ kind: 'assign', slot: index })
      for (const what of happenings) world.happen(what)
      world.calm()
    }),
    { numRuns: 600 },
  )
})
