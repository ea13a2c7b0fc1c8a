import type { EgressRule } from '@bulkhead/shared'

/** Sets that follow what is declared. A name ends in the family of its addresses. */
export const setTypes = {
  bridges: 'ifname',
  sources4: 'ifname . ipv4_addr',
  sources6: 'ifname . ipv6_addr',
  insides4: 'ipv4_addr',
  insides6: 'ipv6_addr',
  services4: 'ipv4_addr',
  services6: 'ipv6_addr',
  fenced4: 'ipv4_addr',
  fenced6: 'ipv6_addr',
  reach4: 'ifname . ipv4_addr . inet_proto . inet_service',
  reach6: 'ifname . ipv6_addr . inet_proto . inet_service',
  published4: 'ipv4_addr . inet_proto . inet_service',
  published6: 'ipv6_addr . inet_proto . inet_service',
  clients4: 'ipv4_addr . ipv4_addr . inet_proto . inet_service',
  clients6: 'ipv6_addr . ipv6_addr . inet_proto . inet_service',
  open4: 'ipv4_addr . inet_proto . inet_service',
  open6: 'ipv6_addr . inet_proto . inet_service',
} as const

export type SetName = keyof typeof setTypes
export const setNames = Object.keys(setTypes) as readonly SetName[]

/** Those whose elements are networks. */
export const intervalSets: ReadonlySet<SetName> = new Set<SetName>([
  'sources4',
  'sources6',
  'insides4',
  'insides6',
  'services4',
  'services6',
  'fenced4',
  'fenced6',
])

/** Elements as nft writes them, such as `"bh-1" . 10.0.0.1 . tcp . 20000`. */
export type Sets = Readonly<Record<SetName, ReadonlySet<string>>>

/** Where the containers of some bridges may connect to outside the cluster. */
export interface Egress {
  readonly devices: readonly string[]
  readonly rules: readonly EgressRule[]
}

/** Everything that the kernel is to go by, as data. */
export interface Ruleset {
  readonly sets: Sets
  readonly egress: readonly Egress[]
}
