import type { Node } from '@bulkhead/shared'
import t from 'tap'

import { Books } from '../../src/placement/core/books.ts'
import { explainRefusals } from '../../src/placement/core/explain-refusal.ts'
import { allFilters, refusalOf } from '../../src/placement/core/filters/pipeline.ts'
import { MemoryState } from '../support/memory-state.ts'
import { aNode, anInstance, apply, portRange } from '../support/records.ts'

type Change = Parameters<typeof apply>[1]

function filtersFor(state: MemoryState, change: Change) {
  const revision = apply(state, change)
  const service = revision.service
  const books = new Books(state, service)
  const rules = revision.spec.placement
  return allFilters({ view: state, service, revision, rules, books, portRange })
}

const unheld = { enforced: false, enforcedReason: 'no nft', proxy: null, proxyReason: '' }

function refusal(change: Partial<Change>, node: Node, prepare?: (state: MemoryState) => void) {
  const state = new MemoryState()
  state.putNode(node)
  prepare?.(state)
  return refusalOf(filtersFor(state, { name: 'web', ...change }), node)?.one ?? null
}

t.test('each filter refuses what it must and says why', async (t) => {
  const billingOn = (node: string) => (state: MemoryState) => {
    apply(state, { name: 'billing', ports: { http: { port: 80, host: 8080 } } })
    state.putInstance(
      anInstance({
        id: 'billing-0-x',
        service: 'default/billing',
        node,
        hostPorts: { http: 8080 },
      }),
    )
  }
  const h1 = aNode('n1', { domain: { host: 'h1' } })
  const cases: readonly [
    string,
    Partial<Change>,
    Node,
    string | null,
    ((s: MemoryState) => void)?,
  ][] = [
    ['a node that suits', {}, h1, null],
    ['another environment', { environment: 'prod' }, h1, 'is not in environment prod'],
    [
      'a node of every environment',
      { environment: 'prod' },
      aNode('n1', { facts: { environments: [] } }),
      null,
    ],
    ['a kernel that does not hold zones', {}, aNode('n1', { facts: { network: unheld } }), 'does not hold zones in its kernel'],
    ['one that is excused', {}, aNode('n1', { facts: { network: unheld }, mayBeUnenforced: true }), null],
    ['another zone', { zone: 'data' }, h1, 'is not in zone data'],
    [
      'a node of two zones',
      { zone: 'data' },
      aNode('n1', { facts: { zones: ['application', 'data'] } }),
      null,
    ],
    ['silence', {}, aNode('n1', { liveness: 'suspect' }), 'is suspect'],
    ['loss', {}, aNode('n1', { liveness: 'lost' }), 'is lost'],
    ['a dead engine', {}, aNode('n1', { liveness: 'down' }), 'is down'],
    ['a cordon', {}, aNode('n1', { admittance: 'cordoned' }), 'is cordoned'],
    ['a drain', {}, aNode('n1', { admittance: 'draining' }), 'is draining'],
    [
      'a label that is missing',
      { placement: { require: ['disk=ssd', 'os'] } },
      h1,
      'lacks disk=ssd and os',
    ],
    [
      'a label that is there',
      { placement: { require: ['disk=ssd'] } },
      aNode('n1', { labels: { disk: 'ssd' } }),
      null,
    ],
    [
      'its own rule',
      { placement: { separate: [{ from: 'billing', by: 'host' }] } },
      h1,
      'already runs a billing instance on host h1',
      billingOn('n1'),
    ],
    [
      'a neighbour on the same machine',
      { placement: { separate: [{ from: 'billing', by: 'host' }] } },
      h1,
      'already runs a billing instance on host h1',
      (state) => {
        state.putNode(aNode('n2', { domain: { host: 'h1' } }))
        billingOn('n2')(state)
      },
    ],
    [
      'a rule of the other side',
      {},
      h1,
      'already runs a billing instance',
      (state) => {
        billingOn('n1')(state)
        apply(state, { name: 'billing', placement: { separate: [{ from: 'web', by: 'node' }] } })
      },
    ],
    [
      'a service of another environment',
      { placement: { separate: [{ from: 'api.prod', by: 'node' }] } },
      h1,
      'already runs an api.prod instance',
      (state) => {
        apply(state, { name: 'api', environment: 'prod' })
        state.putInstance(anInstance({ id: 'api-0-x', service: 'prod/api' }))
      },
    ],
    [
      'a level that the node does not know',
      { placement: { separate: [{ from: 'self', by: 'rack' }] } },
      h1,
      'has no label rack, which keeping apart from an instance of the service needs',
    ],
    [
      'a level that the node does not know, which the rule of another service names',
      {},
      h1,
      'has no label rack, which keeping apart from a billing instance needs',
      (state) => {
        state.putNode(aNode('n2', { domain: { rack: 'r1' } }))
        billingOn('n2')(state)
        apply(state, { name: 'billing', placement: { separate: [{ from: 'web', by: 'rack' }] } })
      },
    ],
    [
      'the same, when there is nothing of the other service',
      {},
      h1,
      null,
      (state) => {
        apply(state, { name: 'billing', placement: { separate: [{ from: 'web', by: 'rack' }] } })
      },
    ],
    [
      'a level that the node of the other one does not know',
      { placement: { separate: [{ from: 'billing', by: 'rack' }] } },
      aNode('n1', { domain: { rack: 'r1' } }),
      'cannot be told apart from billing-0-x: node n2 has no label rack',
      (state) => {
        state.putNode(aNode('n2'))
        billingOn('n2')(state)
      },
    ],
    [
      'a fixed port that is taken',
      { ports: { http: { port: 80, host: 8080 } } },
      h1,
      'has host port tcp/8080 taken',
      billingOn('n1'),
    ],
    [
      'the same port of another protocol',
      { ports: { dns: { port: 53, protocol: 'udp', host: 8080 } } },
      h1,
      null,
      billingOn('n1'),
    ],
    ['too little cpu', { resources: { cpu: 5 } }, h1, 'lacks 5 cpu'],
    [
      'too little of both',
      { resources: { cpu: 5, memory: '16Gi' } },
      h1,
      'lacks 5 cpu and 16Gi memory',
    ],
  ]
  for (const [what, change, node, expected, prepare] of cases) {
    t.equal(refusal(change, node, prepare), expected, what)
  }
})

t.test('what counts against separation is that a container may exist', async (t) => {
  const present = (change: Partial<Parameters<typeof anInstance>[0]>, node: Partial<Node> = {}) => {
    const state = new MemoryState()
    state.putNode(aNode('n1', { domain: { host: 'h1' } }))
    state.putNode({ ...aNode('n2', { domain: { host: 'h1' } }), ...node })
    const instance = anInstance({ id: 'web-1-x', service: 'default/web', slot: 1, node: 'n2' })
    state.putInstance({ ...instance, ...change })
    const filters = filtersFor(state, {
      name: 'web',
      placement: { separate: [{ from: 'self', by: 'host' }] },
    })
    return refusalOf(filters, aNode('n1', { domain: { host: 'h1' } })) !== null
  }
  const { observed } = anInstance({ id: 'x', service: 'default/web' })
  t.equal(present({}), true, 'running')
  t.equal(present({ observed: { ...observed, state: 'assigned' } }), true, 'assigned')
  t.equal(present({ desired: 'stop' }), true, 'told to stop')
  t.equal(present({ desired: 'stop', lostAtMs: 1 }, { liveness: 'lost' }), true, 'given up')
  t.equal(present({ slot: 0 }), true, 'the old instance of the very slot')
  t.equal(
    present({ lostAtMs: 1 }, { liveness: 'lost', confirmedDead: true }),
    false,
    'confirmed dead',
  )
  t.equal(present({ node: 'n9' }), false, 'on a node that was removed')
  t.equal(present({ node: null }), false, 'pending')
  t.equal(
    present({ desired: 'stop', observed: { ...observed, state: 'stopped' } }),
    false,
    'stopped',
  )
  t.equal(present({ observed: { ...observed, state: 'failed' } }), false, 'failed')
})

t.test('refusals are counted, grouped and named', async (t) => {
  const state = new MemoryState()
  for (const name of ['n1', 'n2']) state.putNode(aNode(name))
  for (const name of ['n3', 'n4']) state.putNode(aNode(name, { facts: { zones: ['data'] } }))
  const ssd = { facts: { zones: ['data'] }, labels: { disk: 'ssd' }, domain: { host: 'h5' } }
  state.putNode(aNode('n5', ssd))
  apply(state, { name: 'billing', zone: 'data' })
  state.putInstance(anInstance({ id: 'billing-0-x', service: 'default/billing', node: 'n5' }))
  const filters = filtersFor(state, {
    name: 'web',
    zone: 'data',
    placement: { require: ['disk=ssd'], separate: [{ from: 'billing', by: 'host' }] },
  })
  t.equal(
    explainRefusals(filters, state.nodes.values()),
    '2 of 5 are not in zone data (n1, n2); 2 lack disk=ssd (n3, n4); ' +
      '1 already runs a billing instance on host h5 (n5)',
  )
})
