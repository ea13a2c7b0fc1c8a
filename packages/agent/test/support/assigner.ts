import type { Assignment } from '@bulkhead/shared'

import { FakeWorld } from './fake-agent.ts'

/** The control plane's side of the revisions. */
export class Assigner {
  readonly #world: FakeWorld
  #revision = 1

  constructor(world: FakeWorld) {
    this.#world = world
  }

  full(...upserts: readonly Assignment[]): void {
    this.#revision += 1
    const all = [...upserts]
    this.#world.send({
      kind: 'assignments',
      from: null,
      revision: this.#revision,
      upserts: all,
      removes: [],
    })
  }

  delta(upserts: readonly Assignment[], removes: readonly string[] = []): void {
    const from = this.#revision
    this.#revision += 1
    const change = { upserts: [...upserts], removes: [...removes] }
    this.#world.send({ kind: 'assignments', from, revision: this.#revision, ...change })
  }
}

export async function begin(...upserts: readonly Assignment[]) {
  const world = new FakeWorld()
  const assigner = new Assigner(world)
  await world.start()
  world.welcome()
  assigner.full(...upserts)
  await world.clock.pass(50)
  const { engine, clock } = world
  return { world, assigner, engine, clock }
}

export const observed = (world: FakeWorld, instance: string) =>
  world.reports().get(instance)?.observed
