import { canonicalAddress, spreadHash } from '@bulkhead/shared'

import { familyOf, formatIPv4, parseIPv4 } from './address.ts'

export interface FencedAddresses {
  readonly ipv4: string | null
  readonly ipv6: string | null
}

/**
 * Addresses for an exclusive instance in the fenced parts of its bridge. Where the search begins depends on the
 * instance, so that an address is seldom had by two in a row. Null where there is no such part, or it is full.
 */
export function fencedAddresses(
  parts: readonly string[],
  instance: string,
  taken: ReadonlySet<string>,
): FencedAddresses {
  const start = spreadHash(instance)
  const four = parts.find((part) => familyOf(part) === 4)
  const six = parts.find((part) => familyOf(part) === 6)
  return {
    ipv4: four === undefined ? null : freeIPv4(four, start, taken),
    ipv6: six === undefined ? null : freeIPv6(six, start, taken),
  }
}

/** The last address of a network is for all of it. */
function freeIPv4(part: string, start: number, taken: ReadonlySet<string>): string | null {
  const [first = '', bits] = part.split('/')
  const size = 2 ** (32 - Number(bits)) - 1
  for (let offset = 0; offset < size; offset++) {
    const address = formatIPv4(parseIPv4(first) + ((start + offset) % size))
    if (!taken.has(address)) return address
  }
  return null
}

/** There are more of them than instances could ever take. */
function freeIPv6(part: string, start: number, taken: ReadonlySet<string>): string | null {
  const prefix = part.replace(/::\/\d+$/, '')
  for (let offset = 0; offset <= taken.size; offset++) {
    const value = (start + offset) % 2 ** 32
    const groups = [Math.floor(value / 65_536), value % 65_536].map((one) => one.toString(16))
    const address = canonicalAddress(`${prefix}::${groups.join(':')}`)
    if (URL.canParse(`http://[${address}]/`) && !taken.has(address)) return address
  }
  return null
}
