import {
  canonicalAddress,
  type DocumentProblem,
  type ExternalServiceSpec,
  networkOf,
  parseCidr,
  type ServiceKey,
} from '@bulkhead/shared'

import type { NetworkConfig } from '../../config/config.ts'
import type { ClusterView, Transaction } from '../../state/view.ts'

interface Candidate {
  readonly document: number
  readonly spec: ExternalServiceSpec
}

/** Addresses that lead to a node itself or to its proxy: a connection there would go past the zones. */
export function externalProblems(
  view: ClusterView,
  candidates: readonly Candidate[],
  network: NetworkConfig,
): DocumentProblem[] {
  if (candidates.length === 0) return []
  const nodes = new Map(
    Array.from(view.nodes.values(), ({ name, facts }) => [canonicalAddress(facts.address), name]),
  )
  const services = [network.services, network.services6 ?? []].flat()
  return candidates.flatMap(({ document, spec }) =>
    spec.addresses.flatMap((address, index) => {
      const why = whyNot(address, nodes, services)
      return why === null
        ? []
        : [{ document, path: `/addresses/${index}`, message: `${address} ${why}` }]
    }),
  )
}

function whyNot(
  address: string,
  nodes: ReadonlyMap<string, string>,
  services: readonly string[],
): string | null {
  const node = nodes.get(canonicalAddress(address))
  if (node !== undefined) {
    return `is the address of node ${node}: what runs there in containers is a Service; for what does not, name an address that belongs to no node`
  }
  const own = services.find((network) => isIn(address, network))
  if (own === undefined) return null
  return `is in ${own}, where services have their own addresses; name the address at which the service is reached from the nodes`
}

function isIn(address: string, network: string): boolean {
  const [wanted, bits = ''] = [parseCidr(network), network.split('/')[1]]
  const own = parseCidr(`${address}/${bits}`)
  return wanted !== null && own !== null && networkOf(own).address === networkOf(wanted).address
}

/** A node has come with an address that external services name. */
export function tellOfExternals(tx: Transaction, node: string, address: string): void {
  for (const key of externalsAt(tx, address)) {
    const reason = `${address} is now the address of node ${node}, so that connections go to that node itself, past the zones: name another address, or delete the external service`
    tx.event({ kind: 'ExternalService', subject: key, action: 'address-of-node', reason })
  }
}

function externalsAt(view: ClusterView, address: string): readonly ServiceKey[] {
  const wanted = canonicalAddress(address)
  const found = Array.from(view.externals.values()).filter(({ spec }) =>
    spec.addresses.some((one) => canonicalAddress(one) === wanted),
  )
  return found.map(({ key }) => key)
}
