import type { Node } from '@bulkhead/shared'
import fc from 'fast-check'
import t from 'tap'

import { Books } from '../../src/placement/core/books.ts'
import { neverFits } from '../../src/placement/core/never-fits.ts'
import { PlacementBatch } from '../../src/placement/core/place.ts'
import { MemoryState } from '../support/memory-state.ts'
import { Random } from '../support/random.ts'
import { aNode, anInstance, apply, gib, portRange } from '../support/records.ts'

type Change = Partial<Parameters<typeof apply>[1]>

const on = (
  host: string,
  change: Parameters<typeof aNode>[1] = {},
): Parameters<typeof aNode>[1] => ({
  ...change,
  domain: { host },
})
const three = [aNode('n1', on('h1')), aNode('n2', on('h1')), aNode('n3', on('h2'))]
const capacity = { cpuMillis: 500, memoryBytes: 4 * gib }

function verdict(change: Change, nodes: readonly Node[], prepare?: (state: MemoryState) => void) {
  const state = new MemoryState()
  for (const node of nodes) state.putNode(node)
  prepare?.(state)
  const revision = apply(state, { name: 'web', ...change })
  return neverFits(state, revision.service, revision)
}

t.test('is there a place for all replicas at once?', async (t) => {
  const byHost = { separate: [{ from: 'self', by: 'host' }] }
  const billing = (state: MemoryState): void => {
    apply(state, { name: 'billing', resources: { cpu: 0.5 } })
    state.putInstance(anInstance({ id: 'billing-0-x', service: 'default/billing', node: 'n3' }))
  }
  const cases: readonly [
    string,
    Change,
    readonly Node[],
    string | null,
    ((s: MemoryState) => void)?,
  ][] = [
    ['room enough', { replicas: 3 }, three, null],
    ['nothing wanted', { replicas: 0 }, [], null],
    [
      'no node at all',
      { replicas: 1, zone: 'data' },
      three,
      'no node is registered in environment default and zone data',
    ],
    ['hosts enough', { replicas: 2, placement: byHost }, three, null],
    [
      'too few hosts',
      { replicas: 3, placement: byHost },
      three,
      '3 replicas need 3 different hosts, 2 qualify: h1 (n1, n2), h2 (n3)',
    ],
    [
      'a host that another service takes',
      {
        replicas: 2,
        placement: {
          separate: [
            { from: 'self', by: 'host' },
            { from: 'billing', by: 'node' },
          ],
        },
      },
      three,
      '2 replicas need 2 different hosts, 1 qualifies: h1 (n1, n2); ' +
        '1 of 3 already runs a billing instance (n3)',
      billing,
    ],
    [
      'nodes that are lost or drained now count',
      { replicas: 2, placement: byHost },
      [aNode('n1', { liveness: 'lost' }), aNode('n2', { admittance: 'draining' })],
      null,
    ],
    [
      'too little room',
      { replicas: 4, resources: { cpu: 0.25, memory: '64Mi' } },
      [aNode('n1', { facts: { capacity } }), aNode('n3', { facts: { capacity } })],
      '4 replicas need 250m cpu and 64Mi memory each, there is room for 2: n1 (2); 1 of 2 lacks 250m cpu (n3)',
      billing,
    ],
    [
      'a fixed port once for each node',
      { replicas: 4, ports: { http: { port: 80, host: 8080 } } },
      three,
      '4 replicas need 250m cpu, 128Mi memory and host port tcp/8080 each, there is room for 3: n1 (1), n2 (1), n3 (1)',
    ],
    [
      'nothing that has the label',
      { replicas: 1, placement: { require: ['disk=ssd'] } },
      three,
      'no node fits: 3 of 3 lack disk=ssd (n1, n2, n3)',
    ],
  ]
  for (const [what, change, nodes, expected, prepare] of cases) {
    t.equal(verdict(change, nodes, prepare), expected, what)
  }
})

t.test('what the service itself has now does not stand in its way', async (t) => {
  const full = [aNode('n1', { facts: { capacity } })]
  const before = (state: MemoryState): void => {
    apply(state, { name: 'web', resources: { cpu: 0.5 } })
    state.putInstance(anInstance({ id: 'web-0-x', service: 'default/web' }))
  }
  t.equal(verdict({ replicas: 2, resources: { cpu: 0.25 } }, full, before), null)
})

t.test('on healthy nodes it says no when and only when not all can be placed', async () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = new Random(seed)
      const state = new MemoryState()
      for (let index = 1; index <= random.integer(1, 6); index++) {
        const small = { cpuMillis: random.integer(0, 4) * 250, memoryBytes: gib }
        const rack = random.chance(0.8) ? `r${random.integer(1, 3)}` : null
        state.putNode(aNode(`n${index}`, { facts: { capacity: small }, domain: { rack } }))
      }
      const revision = apply(state, {
        name: 'web',
        replicas: random.integer(1, 6),
        ports: random.chance(0.3) ? { http: { port: 80, host: 8080 } } : {},
        placement: { separate: random.chance(0.5) ? [{ from: 'self', by: 'rack' }] : [] },
      })
      const { service, spec } = revision
      const books = new Books(state, service)
      const request = { service, revision, rules: spec.placement, staying: [], portRange, books }
      const batch = new PlacementBatch(state, request)
      const all = Array.from({ length: spec.replicas }, (_, index) =>
        batch.place({ id: `web-${index}-x`, avoid: new Set() }),
      ).every(({ fits }) => fits)
      return all === (neverFits(state, service, revision) === null)
    }),
    { numRuns: Number(process.env['RUNS'] ?? 200) },
  )
})
