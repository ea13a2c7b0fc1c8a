import { successorInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { assort } from '../../src/core/assort.ts'
import type { ContainerInfo } from '../../src/core/container.ts'
import type { Lineage } from '../../src/core/lineage.ts'
import { container, exited, lineage, running } from '../support/views.ts'

const id = 'web-0-aaaaaaaa'
const next = successorInstanceId(id)

function sorted(one: Lineage, ...containers: readonly ContainerInfo[]) {
  const found = assort(one, (instance) =>
    containers.filter(({ labels }) => labels['bulkhead.instance'] === instance),
  )
  const idOf = (of: ContainerInfo | null) => of?.labels['bulkhead.instance'] ?? null
  return {
    container: idOf(found.container),
    prepared: idOf(found.prepared),
    remains: found.remains.map(idOf),
  }
}

t.test(
  'a successor that is made ahead waits beside what runs, and beside what has just ended',
  async (t) => {
    const ahead = container(next, { state: 'created' })
    const waits = { container: id, prepared: next, remains: [] }
    t.same(sorted(lineage({}, running), container(id), ahead), waits)
    t.same(sorted(lineage({}, running), exited(id, 1), ahead), waits)
    t.same(sorted(lineage({}, running), ahead), { ...waits, container: null })
  },
)

t.test(
  'a successor that runs beside what runs goes, one that runs after what has ended stays',
  async (t) => {
    t.same(sorted(lineage({}, running), container(id), container(next)).remains, [next])
    t.same(sorted(lineage({}, running), exited(id, 1), container(next)).remains, [])
  },
)

t.test(
  'nothing can follow what has not begun: a process before this one made it, and may have started it',
  async (t) => {
    for (const state of ['created', 'running'] as const) {
      const early = container(next, { state })
      const goes = { container: null, prepared: null, remains: [next] }
      t.same(sorted(lineage({}, { state: 'assigned' }), early), goes)
      const made = container(id, { state: 'created' })
      t.same(sorted(lineage({}, { state: 'starting' }), made, early), { ...goes, container: id })
    }
  },
)
