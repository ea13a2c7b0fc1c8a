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

/** Addresses that no other machine can be reached at: a proxy would connect to its own, past the zones. */
const unusable: readonly (readonly [what: string, network: string, prefix: number])[] = [
  ['an unspecified address, which stands for the machine itself', '0.0.0.0', 8],
  ['an unspecified address, which stands for the machine itself', '::', 128],
  ['a loopback address, which is the machine itself', '127.0.0.0', 8],
  ['a loopback address, which is the machine itself', '::1', 128],
  ['a link-local address, which means another machine on every link', '169.254.0.0', 16],
  ['a link-local address, which means another machine on every link', 'fe80::', 10],
  ['a multicast address, which belongs to no single machine', '224.0.0.0', 4],
  ['a multicast address, which belongs to no single machine', 'ff00::', 8],
  ['a reserved or broadcast address, which belongs to no single machine', '240.0.0.0', 4],
]

const family = (address: string): 'ipv4' | 'ipv6' =>
  addressFamily(address) === 6 ? 'ipv6' : 'ipv4'

const kinds = unusable.map(([what, network, prefix]) => {
  const list = new BlockList()
  list.addSubnet(network, prefix, family(network))
  return { what, list }
})

/** What kind of address it is that cannot be used; undefined when it can. */
const unusableKind = (address: string): string | undefined =>
  kinds.find(({ list }) => list.check(address, family(address)))?.what

/** The kernel lets addresses through, and nobody would tell it when those of a name change. */
function* addressProblems({ addresses }: ExternalServiceSource): Iterable<Problem> {
  const seen = new Set<string>()
  for (const [index, address] of addresses.entries()) {
    const path = pointerTo('addresses', index)
    const kind = addressFamily(address) === null ? undefined : unusableKind(address)
    if (addressFamily(address) === null) {
      const message = `${shownText(address)} is no IP address; zones are held by address, so a host name cannot be used`
      yield { path, message }
    } else if (kind !== undefined) {
      const message = `${shownText(address)} is ${kind}; name the address at which the service is reached from the nodes`
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
