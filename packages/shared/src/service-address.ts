import { isIPv4, isIPv6 } from 'node:net'

/** Places in the network of services: its first and last address belong to nobody. */
export const addressIndexes = { first: 1, last: 65_534 } as const
export const unusedIndexes = { first: 0, last: 65_535 } as const

/** The first two numbers of a /16 of IPv4 such as `10.231.0.0/16`; null when it is none. */
function prefix4(network: string): string | null {
  const [address = '', bits] = network.split('/')
  if (bits !== '16' || !isIPv4(address) || !address.endsWith('.0.0')) return null
  return address.slice(0, -'.0.0'.length)
}

/** Whether services can have their addresses in it: a /16 of IPv4. */
export const isServicesNetwork = (network: string): boolean => prefix4(network) !== null

/** Whether it can continue the network of services in IPv6: a /96 that ends in `::`. */
export function isServicesNetwork6(network: string): boolean {
  const [address = '', bits] = network.split('/')
  return bits === '96' && address.endsWith('::') && isIPv6(address)
}

/**
 * The address of a service on every node: a program connects to it, and the node's proxy passes it on. `network` is
 * a /16 of IPv4, as `isServicesNetwork` accepts it.
 */
export function serviceAddress(network: string, index: number): string {
  return `${prefix4(network) ?? ''}.${index >> 8}.${index & 255}`
}

/** The same in IPv6: the /96 with the address of IPv4 in its last 32 bits. */
export function serviceAddress6(network6: string, network: string, index: number): string {
  const [first = 0, second = 0, third = 0, fourth = 0] = serviceAddress(network, index)
    .split('.')
    .map(Number)
  const high = ((first << 8) | second).toString(16)
  const low = ((third << 8) | fourth).toString(16)
  return `${network6.replace(/::\/96$/, '::')}${high}:${low}`
}
