import { canonicalHash } from '@bulkhead/shared'

import { canonicalNetwork, familyOf, lowerHalf, upperHalf } from './address.ts'

/** A network of the engine's, as it is to be made. */
export interface Subnet {
  readonly subnet: string
  readonly gateway: string
  /** The half that the engine gives out by itself. The other is for containers whose address is asked for. */
  readonly range: string | null
}

/** What of an engine's description of a network decides about addresses. */
export interface AddressPlan {
  readonly Subnet?: string | undefined
  readonly IPRange?: string | undefined
  readonly Gateway?: string | undefined
}

const deviceHashLength = 12

/** A name for the interface of a bridge, as long as names of interfaces can be; the same for the same network. */
export function deviceName(network: string, labels: Readonly<Record<string, string>>): string {
  return `bh-${canonicalHash([network, labels]).slice(0, deviceHashLength)}`
}

/** The unique local network of a bridge (RFC 4193): its numbers are a hash, so that two are not the same by chance. */
export function uniqueLocal(network: string, labels: Readonly<Record<string, string>>): Subnet {
  const hash = canonicalHash([network, labels, 'ipv6'])
  const groups = [`fd${hash.slice(0, 2)}`, hash.slice(2, 6), hash.slice(6, 10), hash.slice(10, 14)]
  const prefix = canonicalNetwork(`${groups.join(':')}::/64`).replace(/\/64$/, '')
  return { subnet: `${prefix}/64`, gateway: canonicalNetwork(`${prefix}1`), range: `${prefix}/65` }
}

/** What the engine chose for itself, in halves. */
export function halved(plan: AddressPlan): Subnet | null {
  const { Subnet: subnet, Gateway: gateway } = plan
  if (subnet === undefined || gateway === undefined) return null
  return { subnet, gateway: withoutLength(gateway), range: lowerHalf(subnet) }
}

/** The half of a network that the engine gives no addresses of out, in CIDR form; null when there is none. */
export function reservedHalf({
  Subnet: subnet = '',
  IPRange: range = '',
}: AddressPlan): string | null {
  if (range === '') return null
  if (familyOf(subnet) === 4) return range === lowerHalf(subnet) ? upperHalf(subnet) : null
  const [prefix = '', bits] = canonicalNetwork(subnet).split('/')
  if (bits !== '64' || canonicalNetwork(range) !== `${prefix}/65`) return null
  return canonicalNetwork(`${groupsOf64(prefix)}:8000::/65`)
}

/** Gateways as addresses, of both families. */
export const gatewaysOf = (plans: readonly AddressPlan[]): readonly string[] =>
  plans.flatMap(({ Gateway: gateway = '' }) => {
    const address = withoutLength(gateway)
    return familyOf(address) === null ? [] : [canonicalNetwork(address)]
  })

const withoutLength = (address: string): string => address.replace(/\/.*$/, '')

/** The first four groups of an address such as `fd00:1::`, written out. */
function groupsOf64(prefix: string): string {
  const groups = prefix.replace(/::.*$/, '').split(':')
  return [...groups, '0', '0', '0', '0'].slice(0, 4).join(':')
}
