import { isLive, type Node } from '@bulkhead/shared'
import fc from 'fast-check'
import t from 'tap'

import { Books } from '../../src/placement/core/books.ts'
import type { FilterContext } from '../../src/placement/core/filters/filter.ts'
import { allFilters, fits } from '../../src/placement/core/filters/pipeline.ts'
import { PlacementBatch } from '../../src/placement/core/place.ts'
import { compareScores, preferenceOf, scoreOf, Tally } from '../../src/placement/core/scores.ts'
import { MemoryState } from '../support/memory-state.ts'
import { Random } from '../support/random.ts'
import { aNode, anInstance, apply, gib, portRange } from '../support/records.ts'

type Change = Partial<Parameters<typeof apply>[1]>
const none: ReadonlySet<string> = new Set()

function batchOf(state: MemoryState, change: Change = {}) {
  const revision = apply(state, { name: 'web', ...change })
  const books = new Books(state, revision.service)
  const rules = revision.spec.placement
  const staying = state.instancesOf(revision.service).filter(isLive)
  const request = { service: revision.service, revision, rules, staying, portRange, books }
  const context: FilterContext = { view: state, ...request }
  return { batch: new PlacementBatch(state, request), context, staying }
}

function placeAll(state: MemoryState, change: Change, count: number): readonly string[] {
  const { batch } = batchOf(state, change)
  return Array.from({ length: count }, (_, index) => {
    const placed = batch.place({ id: `web-${index}-x`, avoid: none })
    return placed.fits ? placed.node.name : placed.reason
  })
}

const cluster = (...nodes: readonly Node[]): MemoryState => {
  const state = new MemoryState()
  for (const node of nodes) state.putNode(node)
  return state
}

t.test('in the order of what counts', async (t) => {
  const cases: readonly [string, Change, readonly Node[], readonly string[]][] = [
    ['names break ties', {}, [aNode('n2'), aNode('n1')], ['n1', 'n2', 'n1']],
    [
      'what is least reserved',
      {},
      [
        aNode('n1', { facts: { capacity: { cpuMillis: 1000, memoryBytes: 8 * gib } } }),
        aNode('n2'),
      ],
      ['n2', 'n1', 'n2'],
    ],
    [
      'preference before everything',
      { placement: { prefer: [{ match: 'disk=ssd', weight: 1 }] } },
      [aNode('n1'), aNode('n2', { labels: { disk: 'ssd' } })],
      ['n2', 'n2', 'n2'],
    ],
    [
      'weights add up',
      {
        placement: {
          prefer: [
            { match: 'a', weight: 3 },
            { match: 'b', weight: 2 },
            { match: '!a', weight: 4 },
          ],
        },
      },
      [
        aNode('n1', { labels: { b: '' } }),
        aNode('n2', { labels: { a: '' } }),
        aNode('n3', { labels: { a: '', b: '' } }),
      ],
      ['n1', 'n1'],
    ],
    [
      'spread level by level',
      { placement: { spread: ['provider', 'rack'] } },
      [
        aNode('n1', { domain: { provider: 'p1', rack: 'r1' } }),
        aNode('n2', { domain: { provider: 'p1', rack: 'r2' } }),
        aNode('n3', { domain: { provider: 'p2', rack: 'r1' } }),
      ],
      ['n1', 'n3', 'n2', 'n3', 'n1'],
    ],
    [
      'nodes that do not know the level last',
      { placement: { spread: ['rack'] } },
      [aNode('n1'), aNode('n2', { domain: { rack: 'r1' } })],
      ['n2', 'n2'],
    ],
  ]
  for (const [what, change, nodes, expected] of cases) {
    t.same(placeAll(cluster(...nodes), change, expected.length), expected, what)
  }
})

t.test('a node on which the slot has just failed comes last, but it does come', async (t) => {
  const state = cluster(aNode('n1'), aNode('n2'))
  const { batch } = batchOf(state)
  const avoiding = (...names: readonly string[]) => {
    const placed = batch.place({ id: 'web-0-x', avoid: new Set(names) })
    return placed.fits ? placed.node.name : placed.reason
  }
  t.equal(avoiding('n1'), 'n2')
  t.equal(avoiding('n1', 'n2'), 'n1')
  t.equal(avoiding(), 'n1')
})

t.test('what is full is left out, and the refusal says so', async (t) => {
  const small = { facts: { capacity: { cpuMillis: 500, memoryBytes: gib } } }
  const placed = placeAll(cluster(aNode('n1', small), aNode('n2', small)), {}, 5)
  t.same(placed, ['n1', 'n2', 'n1', 'n2', 'no node fits: 2 of 2 lack 250m cpu (n1, n2)'])
  t.equal(placeAll(cluster(), {}, 1)[0], 'no node fits: no node is registered')
})

t.test('separation holds within a batch', async (t) => {
  const state = cluster(
    aNode('n1', { domain: { host: 'h1' } }),
    aNode('n2', { domain: { host: 'h1' } }),
    aNode('n3', { domain: { host: 'h2' } }),
  )
  const separate = [{ from: 'self', by: 'host' }]
  const placed = placeAll(state, { placement: { separate } }, 3)
  t.same(placed.slice(0, 2), ['n1', 'n3'])
  t.match(
    placed[2],
    /3 of 3 already run an instance of the service on the same host \(n1, n2, n3\)/,
  )
})

t.test('room that stopping would make is found before it is made', async (t) => {
  const small = { facts: { capacity: { cpuMillis: 250, memoryBytes: gib } } }
  const state = cluster(aNode('n1', small), aNode('n2', { admittance: 'cordoned' }))
  apply(state, { name: 'web' })
  const old = anInstance({ id: 'web-0-a', service: 'default/web' })
  state.putInstance(old)
  t.equal(batchOf(state).batch.nodeWithout(old)?.name, 'n1')
  t.equal(batchOf(state, { resources: { cpu: 1 } }).batch.nodeWithout(old), null)
})

/** A random cluster with something on it. */
function randomCluster(random: Random): MemoryState {
  const state = new MemoryState()
  for (let index = 1; index <= random.integer(1, 12); index++) {
    const rack = random.chance(0.8) ? `r${random.integer(1, 3)}` : null
    const provider = random.chance(0.8) ? `p${random.integer(1, 2)}` : null
    const capacity = {
      cpuMillis: random.integer(1, 8) * 250,
      memoryBytes: random.integer(1, 4) * gib,
    }
    state.putNode(
      aNode(`n${index}`, {
        facts: { capacity },
        domain: { rack, provider, host: `h${random.integer(1, 6)}` },
        labels: random.chance(0.5) ? { disk: 'ssd' } : {},
      }),
    )
  }
  return state
}

t.test('the tree of candidates chooses what a look at every node would choose', async () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = new Random(seed)
      const state = randomCluster(random)
      const separate = random.chance(0.4)
        ? [{ from: 'self', by: random.pick(['host', 'rack']) ?? '' }]
        : []
      const spread = random.pick([[], ['rack'], ['provider', 'rack'], ['node']]) ?? []
      const prefer = random.chance(0.5) ? [{ match: 'disk=ssd', weight: 2 }] : []
      const { batch, context, staying } = batchOf(state, {
        ports: random.chance(0.3) ? { http: { port: 80, host: 8080 } } : { http: 80 },
        placement: { separate, spread, prefer },
      })
      const tally = new Tally(state, staying, spread)
      const filters = allFilters(context)
      for (let index = 0; index < 10; index++) {
        const scores = [...state.nodes.values()]
          .filter((node) => fits(filters, node))
          .map((node) => scoreOf(context, tally, preferenceOf(context), node))
          .toSorted(compareScores)
        const avoid = new Set(random.chance(0.3) ? [scores[0]?.name ?? ''] : [])
        const expected = scores.find(({ name }) => !avoid.has(name)) ?? scores[0]
        const placed = batch.place({ id: `web-${index}-x`, avoid })
        const name = placed.fits ? placed.node.name : undefined
        if (name !== expected?.name) return false
        if (placed.fits) tally.add(placed.node)
      }
      return true
    }),
    { numRuns: Number(process.env['RUNS'] ?? 300) },
  )
})
