import { BlockList } from 'node:net'

import { addressFamily } from '../cidr.ts'
import { pointerTo } from '../pointer.ts'
import type { ExternalServiceSource } from '../source.ts'
import type { Problem } from './problem.ts'
import { shownText } from './shown.ts'

/** What an external service that its schema accepts still has wrong. */
export function externalServiceProblems(source: ExternalServiceSource): Problem[] {
  return [...addressProblems(source), ...portProblems(source)]
}

/** Loopback, unspecified, link-local and multicast: a proxy would connect to its own machine, past the zones. */
const ofNobodyElse = new BlockList()
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  ofNobodyElse.addSubnet(network, prefix, 'ipv4')
}
for (const [network, prefix] of [
  ['::', 127],
  ['fe80::', 10],
  ['ff00::', 8],
] as const) {
  ofNobodyElse.addSubnet(network, prefix, 'ipv6')
}

const isOfNobodyElse = (address: string): boolean =>
  ofNobodyElse.check(address, addressFamily(address) === 6 ? 'ipv6' : 'ipv4')

/** The kernel lets addresses through, and nobody would tell it when those of a name change. */
function* addressProblems({ addresses }: ExternalServiceSource): Iterable<Problem> {
  const seen = new Set<string>()
  for (const [index, address] of addresses.entries()) {
    const path = pointerTo('addresses', index)
    if (addressFamily(address) === null) {
      const message = `${shownText(address)} is no IP address; zones are held by address, so a host name cannot be used`
      yield { path, message }
    } else if (isOfNobodyElse(address)) {
      const message = `${shownText(address)} is an address of each node itself, or of no single machine; name the address at which the service is reached from the nodes`
      yield { path, message }
    }
    if (seen.has(address)) yield { path, message: `${shownText(address)} is there more than once` }
    seen.add(address)
  }
}

function* portProblems({ ports }: ExternalServiceSource): Iterable<Problem> {
  if (Object.keys(ports).length === 0) {
    yield { path: '/ports', message: 'ports must name at least one port' }
  }
  const seen = new Set<string>()
  for (const [name, port] of Object.entries(ports)) {
    const number = typeof port === 'number' ? port : port.port
    const key = `${number}/${typeof port === 'number' ? 'tcp' : (port.protocol ?? 'tcp')}`
    const path = pointerTo('ports', name)
    if (seen.has(key)) yield { path, message: `port ${key} is declared more than once` }
    seen.add(key)
  }
}
