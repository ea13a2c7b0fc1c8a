import { isIPv4, isIPv6 } from 'node:net'

/** The kind of record that an address is told in; null when it is none. */
export function recordTypeOf(address: string): 'A' | 'AAAA' | null {
  if (isIPv4(address)) return 'A'
  // One of a link leads nowhere without the link's name.
  return isIPv6(address) && !address.includes('%') ? 'AAAA' : null
}
