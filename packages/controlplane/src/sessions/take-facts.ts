import type { Node, NodeFacts } from '@bulkhead/shared'

import { tellOfExternals } from '../admission/core/external-problems.ts'
import type { Transaction } from '../state/view.ts'

/** Without what changes nothing about where instances run. */
const placing = ({ network, ...facts }: NodeFacts): string =>
  JSON.stringify({ ...facts, network: { ...network, namesReason: '' } })

/** Takes what a node says of itself. One that cannot hold zones is told of. */
export function takeFacts(
  tx: Transaction,
  node: Node,
  facts: NodeFacts,
  mayBeUnenforced: boolean,
): void {
  const isExcused = (node.mayBeUnenforced ?? false) === mayBeUnenforced
  const same = JSON.stringify(node.facts) === JSON.stringify(facts)
  if (same && isExcused && !node.confirmedDead) return
  tx.putNode({ ...node, facts, mayBeUnenforced, confirmedDead: false })
  if (node.facts.address !== facts.address) tellOfExternals(tx, node.name, facts.address)
  tellOfProxy(tx, node, facts)
  tellOfNames(tx, node, facts)
  const { enforced, enforcedReason } = facts.network
  if (enforced) {
    if (!node.facts.network.enforced) tx.event({ kind: 'Node', subject: node.name, action: 'enforced', reason: 'its kernel holds zones again' })
    return
  }
  if (isExcused && placing(node.facts) === placing(facts)) return
  const consequence = mayBeUnenforced
    ? 'the configuration lets it take instances all the same'
    : 'it gets no instances'
  const reason = `its kernel does not hold zones (${enforcedReason}): ${consequence}`
  tx.event({ kind: 'Node', subject: node.name, action: 'unenforced', reason })
}

/** Without a proxy everything else goes on, and what is exposed there is missing. */
function tellOfProxy(tx: Transaction, node: Node, { network }: NodeFacts): void {
  const { proxy, proxyReason } = network
  const before = node.facts.network
  const event = { kind: 'Node', subject: node.name } as const
  if (proxy === null && before.proxyReason !== proxyReason) {
    const consequence = 'nothing is exposed at its addresses, and names lead to instances there'
    tx.event({ ...event, action: 'no-proxy', reason: `it has no proxy (${proxyReason}): ${consequence}` })
  } else if (proxy !== null && before.proxy === null && before.proxyReason !== '') {
    tx.event({ ...event, action: 'proxy', reason: `it has a proxy: HAProxy ${proxy}` })
  }
}

/** Containers run on without it, and look names up elsewhere. */
function tellOfNames(tx: Transaction, node: Node, { network }: NodeFacts): void {
  const [before, now] = [node.facts.network.namesReason ?? '', network.namesReason ?? '']
  const event = { kind: 'Node', subject: node.name } as const
  if (now === before) return
  if (now !== '') tx.event({ ...event, action: 'dns-unavailable', reason: now })
  else tx.event({ ...event, action: 'dns-served', reason: 'names can be looked up again on all its networks' })
}
