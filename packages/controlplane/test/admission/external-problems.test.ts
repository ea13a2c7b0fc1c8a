import { normaliseExternalService } from '@bulkhead/shared'
import t from 'tap'

import { externalProblems } from '../../src/admission/core/external-problems.ts'
import { takeFacts } from '../../src/sessions/take-facts.ts'
import { MemoryState } from '../support/memory-state.ts'
import { aNode } from '../support/records.ts'

const network = { services: '10.231.0.0/16', services6: 'fd62:756c:6b00::/96' }
const external = (name: string, ...addresses: readonly string[]) =>
  normaliseExternalService({
    apiVersion: 'bulkhead/v1',
    kind: 'ExternalService',
    name,
    environment: 'prod',
    zone: 'data',
    addresses: [...addresses],
    ports: { postgres: 5432 },
  })
const problemsOf = (state: MemoryState, ...addresses: readonly string[]) =>
  externalProblems(state, [{ document: 3, spec: external('db', ...addresses) }], network)

t.test('what leads to a node, or to its proxy, is refused', async (t) => {
  const state = new MemoryState()
  state.putNode(aNode('n1', { facts: { address: '10.0.0.7' } }))
  state.putNode(aNode('n2', { facts: { address: 'FD00:0::7' } }))
  t.same(problemsOf(state, '10.0.0.8', 'fd00::8', '10.230.255.255', '10.232.0.0'), [])
  t.match(problemsOf(state, '10.0.0.8', '10.0.0.7', 'fd00::7'), [
    {
      document: 3,
      path: '/addresses/1',
      message: /^10\.0\.0\.7 is the address of node n1: .* name an address that belongs to no node/,
    },
    { document: 3, path: '/addresses/2', message: /^fd00::7 is the address of node n2/ },
  ])
  t.match(problemsOf(state, '10.231.1.44', 'fd62:756c:6b00::ae7:12c'), [
    {
      path: '/addresses/0',
      message: /^10\.231\.1\.44 is in 10\.231\.0\.0\/16, where services have their own addresses/,
    },
    { path: '/addresses/1', message: /is in fd62:756c:6b00::\/96/ },
  ])
})

t.test('a node that comes later with such an address is told of, once', async (t) => {
  const state = new MemoryState()
  const spec = external('db', '10.0.0.9')
  state.putExternal({ key: 'prod/db', spec, revision: 1, addressIndex: 1 })
  const node = aNode('n1', { facts: { address: '10.0.0.7' } })
  state.putNode(node)
  const told = () => state.events.filter(({ action }) => action === 'address-of-node')
  takeFacts(state, node, node.facts, false)
  t.same(told(), [])
  const moved = { ...node.facts, address: '10.0.0.9' }
  takeFacts(state, node, moved, false)
  t.match(told(), [
    {
      kind: 'ExternalService',
      subject: 'prod/db',
      reason: /^10\.0\.0\.9 is now the address of node n1/,
    },
  ])
  takeFacts(state, state.nodes.get('n1') ?? node, moved, false)
  t.equal(told().length, 1)
})
