/** An IPv4 or IPv6 address, and how many of its bits name a network. */
export interface Cidr {
  readonly family: 4 | 6
  readonly address: string
  readonly bits: number
}

const isIPv4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255)

const isIPv6 = (text: string): boolean => text.includes(':') && URL.canParse(`http://[${text}]/`)

/** 4, 6, or null for what is no address, such as a host name. */
export function addressFamily(text: string): 4 | 6 | null {
  if (isIPv4(text)) return 4
  return isIPv6(text) ? 6 : null
}

/** IPv6 in its shortest form, IPv4 as it is. */
export function canonicalAddress(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]/`).hostname.slice(1, -1) : address
}

/** Reads `10.0.0.0/8`, `fd00::/8`, or a single address; null when it is neither. */
export function parseCidr(text: string): Cidr | null {
  const [address = '', length, ...rest] = text.split('/')
  const family = addressFamily(address)
  if (family === null || rest.length > 0) return null
  const all = family === 4 ? 32 : 128
  if (length !== undefined && !/^\d{1,3}$/.test(length)) return null
  const bits = length === undefined ? all : Number(length)
  return bits <= all ? { family, address: canonicalAddress(address), bits } : null
}

/** The network that an address of it is in: `10.20.3.4/16` → `10.20.0.0/16`. */
export function networkOf({ family, address, bits }: Cidr): Cidr {
  const [width, size, radix, glue] =
    family === 4 ? ([8, 4, 10, '.'] as const) : ([16, 8, 16, ':'] as const)
  const groups = family === 4 ? address.split('.').map(Number) : groupsOf6(address)
  const kept = Array.from({ length: size }, (_none, index) => {
    const free = Math.min(width, Math.max(0, width * (index + 1) - bits))
    return ((groups[index] ?? 0) & ~(2 ** free - 1)).toString(radix)
  })
  return { family, address: canonicalAddress(kept.join(glue)), bits }
}

const groupsIn = (text: string): readonly number[] =>
  text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16))

/** The eight groups of a canonical address of IPv6. */
function groupsOf6(address: string): readonly number[] {
  const [head = '', tail = ''] = address.split('::')
  const [first, last] = [groupsIn(head), groupsIn(tail)]
  return [...first, ...Array<number>(8 - first.length - last.length).fill(0), ...last]
}

export const formatCidr = ({ address, bits }: Cidr): string => `${address}/${bits}`
