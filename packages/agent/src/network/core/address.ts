import { addressFamily, canonicalAddress } from '@bulkhead/shared/basics'

/** An address, or a network in CIDR form, in the one way in which the kernel's tools write it. */
export function canonicalNetwork(text: string): string {
  const [address = '', length] = text.split('/')
  const written = canonicalAddress(address)
  return length === undefined ? written : `${written}/${length}`
}

/** The family of an address, or of a network in CIDR form; null for what is neither, such as a host name. */
export const familyOf = (text: string): 4 | 6 | null => addressFamily(text.replace(/\/.*$/, ''))

const isIPv4 = (address: string): boolean => addressFamily(address) === 4

/** The upper half of an IPv4 network: `172.18.0.0/16` → `172.18.128.0/17`. Null when it has no halves of use. */
export function upperHalf(network: string): string | null {
  const [address = '', bits] = network.split('/')
  const length = Number(bits)
  if (!isIPv4(address) || !(length >= 8 && length <= 28)) return null
  return `${formatIPv4(parseIPv4(address) + 2 ** (31 - length))}/${length + 1}`
}

/** The lower half, in which the engine may give out addresses as it likes. */
export function lowerHalf(network: string): string | null {
  const [address = '', bits] = network.split('/')
  return upperHalf(network) === null ? null : `${address}/${Number(bits) + 1}`
}

/** The number of an IPv4 address. */
export const parseIPv4 = (address: string): number =>
  address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0)

export const formatIPv4 = (value: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.')

/** Whether an IPv4 address is in an IPv4 network. */
export function isWithin(address: string, network: string): boolean {
  const [start = '', bits] = network.split('/')
  if (!isIPv4(address) || !isIPv4(start)) return false
  const size = 2 ** (32 - Number(bits))
  return Math.floor(parseIPv4(address) / size) === Math.floor(parseIPv4(start) / size)
}
