import { isServicesNetwork, isServicesNetwork6, serviceAddress, serviceAddress6 } from '@bulkhead/shared'
import t from 'tap'

import { freeAddressIndex } from '../../src/discovery/core/address-index.ts'
import { Peers, policyFor } from '../../src/discovery/core/policy.ts'
import { MemoryState } from '../support/memory-state.ts'
import { aNode } from '../support/records.ts'

t.test('addresses of services', async (t) => {
  t.equal(serviceAddress('10.231.0.0/16', 1), '10.231.0.1')
  t.equal(serviceAddress('10.231.0.0/16', 65_534), '10.231.255.254')
  t.equal(serviceAddress6('fd62:756c:6b00::/96', '10.231.0.0/16', 258), 'fd62:756c:6b00::ae7:102')
  t.same(['10.231.0.0/16', '10.231.0.0/24', '10.231.1.0/16', 'x/16', ''].map(isServicesNetwork), [true, false, false, false, false])
  t.same(['fd62::/96', 'fd62::1/96', 'fd62::/64', '10.0.0.0/96'].map(isServicesNetwork6), [true, false, false, false])
})

t.test('a service gets a free place, the same again when it is free', async (t) => {
  const taken = new Set<number>()
  const view = { isAddressTaken: (index: number) => taken.has(index) }
  const first = freeAddressIndex(view, 'prod/web')
  t.equal(freeAddressIndex(view, 'prod/web'), first)
  taken.add(first ?? 0)
  t.not(freeAddressIndex(view, 'prod/web'), first)
  for (let index = 1; index <= 65_534; index++) taken.add(index)
  t.equal(freeAddressIndex(view, 'prod/web'), null)
})

t.test('nodes know of those that share an environment with them', async (t) => {
  const state = new MemoryState()
  state.putNode(aNode('a', { facts: { environments: ['prod'] } }))
  state.putNode(aNode('b', { facts: { environments: ['dev'] } }))
  state.putNode(aNode('c', { facts: { environments: [] } }))
  const network = { services: '10.231.0.0/16', services6: null }
  const policy = policyFor(state, { environments: ['prod'] }, network)
  t.same(
    policy.peers.map(({ node }) => node),
    ['a', 'c'],
  )
  state.putNode(aNode('d', { facts: { environments: ['prod', 'dev'] } }))
  const peers = new Peers(state)
  const namesFor = (...environments: string[]): string[] => peers.of({ environments }).map(({ node }) => node)
  t.same(namesFor('prod'), ['a', 'c', 'd'])
  t.same(namesFor('dev', 'prod'), ['a', 'b', 'c', 'd'], 'each once')
  t.same(namesFor('test'), ['c'])
  t.same(namesFor(), ['a', 'b', 'c', 'd'])
  t.match(policy.zones, {
    presentation: { edge: true, reaches: ['application', 'presentation'] },
    data: { edge: false, reaches: ['data'] },
  })
})
