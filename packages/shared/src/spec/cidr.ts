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

export const formatCidr = ({ address, bits }: Cidr): string => `${address}/${bits}`
