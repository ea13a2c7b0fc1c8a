import t from 'tap'

import { takeFacts } from '../../src/sessions/take-facts.ts'
import { MemoryState } from '../support/memory-state.ts'
import { aNode } from '../support/records.ts'

t.test('that a kernel does not hold zones any more is told, and that it does again', async (t) => {
  const state = new MemoryState()
  const node = aNode('n1')
  state.putNode(node)
  const take = (enforced: boolean, enforcedReason: string, isExcused = false): void => {
    const known = state.nodes.get('n1') ?? node
    const network = { ...node.facts.network, enforced, enforcedReason }
    takeFacts(state, known, { ...node.facts, network }, isExcused)
  }
  const told = (): readonly string[] =>
    state.events.splice(0).map(({ action, reason }) => `${action}: ${reason}`)
  take(true, '')
  t.same(told(), [])
  take(false, 'there is no nft')
  t.same(told(), [
    'unenforced: its kernel does not hold zones (there is no nft): it gets no instances',
  ])
  take(false, 'there is no nft')
  t.same(told(), [], 'once')
  take(true, '')
  t.same(told(), ['enforced: its kernel holds zones again'])
  take(false, 'there is no nft', true)
  t.match(told(), [/lets it take instances all the same/])
})

t.test('a node without a proxy is told of once, and that it has one', async (t) => {
  const state = new MemoryState()
  const node = aNode('n1')
  state.putNode(node)
  const take = (proxy: string | null, proxyReason: string): void => {
    const known = state.nodes.get('n1') ?? node
    const network = { ...node.facts.network, proxy, proxyReason }
    takeFacts(state, known, { ...node.facts, network }, false)
  }
  const told = (): readonly string[] =>
    state.events.splice(0).map(({ action, reason }) => `${action}: ${reason}`)
  take('2.6.12', '')
  t.same(told(), [], 'nobody had looked before')
  take(null, 'HAProxy is not installed')
  take(null, 'HAProxy is not installed')
  t.same(told(), [
    'no-proxy: it has no proxy (HAProxy is not installed): nothing is exposed at its addresses, and names lead to instances there',
  ])
  take('2.6.12', '')
  t.same(told(), ['proxy: it has a proxy: HAProxy 2.6.12'])
})

t.test('where names cannot be looked up is told once, and that they can again', async (t) => {
  const state = new MemoryState()
  const node = aNode('n1')
  const unheld = { ...node.facts.network, enforced: false, enforcedReason: 'there is no nft' }
  state.putNode({ ...node, facts: { ...node.facts, network: unheld } })
  const take = (namesReason: string | undefined): void => {
    const known = state.nodes.get('n1') ?? node
    const network = { ...unheld, ...(namesReason === undefined ? {} : { namesReason }) }
    takeFacts(state, known, { ...node.facts, network }, false)
  }
  for (const reason of [undefined, '', 'port 53 is taken', 'port 53 is taken', '', '']) take(reason)
  t.same(
    state.events.map(({ action, reason }) => `${action}: ${reason}`),
    ['dns-unavailable: port 53 is taken', 'dns-served: names can be looked up again on all its networks'],
  )
})
