import { familyOf } from './address.ts'
import { type Egress, intervalSets, setNames, setTypes } from './ruleset.ts'

/** Heartbeats that may be on their way while one counts; see `fence.ts`. */
export const fenceSlots = [0, 1, 2, 3] as const

/** After conntrack (-200), so that answers are known, and before any translation of addresses (-100). */
const beforeTranslation = -150
/** After translation (100): answers bear the addresses that the question was for. */
const afterTranslation = 150

/** Drops are counted, so that people can see them: `nft list table inet bulkhead`. */
const drop = 'counter drop'

const base = (hook: string, priority: number): string =>
  `{ type filter hook ${hook} priority ${priority}; policy accept; }`

/** Tables, sets and chains; adding what is there already changes nothing. */
export function definitions(table: string): readonly string[] {
  return [
    `add table ${table}`,
    ...setNames.map((name) => {
      const flags = intervalSets.has(name) ? ' flags interval;' : ''
      return `add set ${table} ${name} { type ${setTypes[name]};${flags} }`
    }),
    `add set ${table} leaving4 { type ${setTypes.reach4}; flags timeout; }`,
    `add set ${table} leaving6 { type ${setTypes.reach6}; flags timeout; }`,
    ...fenceSlots.flatMap((slot) => [
      `add set ${table} beat${slot} { type nf_proto; flags timeout; }`,
      `add chain ${table} lease${slot}`,
    ]),
    `add map ${table} lease { type nf_proto : verdict; }`,
    ...['fence', 'egress', 'egress_answers', 'direct', 'published', 'published_answers'].map(
      (chain) => `add chain ${table} ${chain}`,
    ),
    `add chain ${table} from_bridge`,
    `add chain ${table} to_bridge`,
    `add chain ${table} prerouting ${base('prerouting', beforeTranslation)}`,
    `add chain ${table} postrouting ${base('postrouting', afterTranslation)}`,
  ]
}

/**
 * All rules, the same on every node but for egress; what differs is in the sets. Nothing is let through because it
 * is established: each packet of a connection is held against what is declared now, by the addresses that it was
 * opened for, in both directions. So a permission that is withdrawn ends with the transaction that withdraws it.
 */
export function rules(table: string, egress: readonly Egress[]): readonly string[] {
  const chains: Readonly<Record<string, readonly string[]>> = {
    ...Object.fromEntries(
      fenceSlots.map((slot) => [`lease${slot}`, [`meta nfproto @beat${slot} return`, drop]]),
    ),
    fence: ['meta nfproto vmap @lease', drop],
    egress: egress.flatMap((one) => egressRules(one, 'iifname', 'daddr', 'dport')),
    egress_answers: egress.flatMap((one) => egressRules(one, 'oifname', 'saddr', 'sport')),
    direct,
    published,
    published_answers: publishedAnswers,
    from_bridge: fromBridge,
    to_bridge: toBridge,
    prerouting,
    postrouting,
  }
  return Object.entries(chains).flatMap(([chain, lines]) =>
    lines.map((line) => `add rule ${table} ${chain} ${line}`),
  )
}

/** Errors that routers send about connections that are let through. */
const relatedErrors = 'ct state related meta l4proto { icmp, ipv6-icmp } accept'

const prerouting = [
  'iifname @bridges goto from_bridge',
  'iifname "lo" accept',
  // Nobody outside has an address of a container, and services have their addresses inside each node only.
  `ip saddr @insides4 ${drop}`,
  `ip6 saddr @insides6 ${drop}`,
  `ip daddr @services4 ${drop}`,
  `ip6 daddr @services6 ${drop}`,
  'ip daddr @insides4 goto direct',
  'ip6 daddr @insides6 goto direct',
  'ip daddr . meta l4proto . th dport @published4 goto published',
  'ip6 daddr . meta l4proto . th dport @published6 goto published',
]

/** To the address of a container itself there are only answers. */
const direct = [relatedErrors, 'ct direction reply accept', drop]

const published = [
  'ct direction reply accept',
  // A port that is bound to an address is reached through the interface of that address.
  `fib daddr . iif type != local ${drop}`,
  'ip daddr . meta l4proto . th dport @open4 accept',
  'ip6 daddr . meta l4proto . th dport @open6 accept',
  'ip saddr . ip daddr . meta l4proto . th dport @clients4 accept',
  'ip6 saddr . ip6 daddr . meta l4proto . th dport @clients6 accept',
  drop,
]

const publishedAnswers = [
  'oifname "lo" accept',
  'ip saddr . meta l4proto . th sport @open4 accept',
  'ip6 saddr . meta l4proto . th sport @open6 accept',
  'ip daddr . ip saddr . meta l4proto . th sport @clients4 accept',
  'ip6 daddr . ip6 saddr . meta l4proto . th sport @clients6 accept',
  drop,
]

const fromBridge = [
  `meta nfproto ipv4 iifname . ip saddr != @sources4 ${drop}`,
  // IPv6 cannot do without; the kernel's own addresses of interfaces are used for it.
  'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept',
  `meta nfproto ipv6 iifname . ip6 saddr != @sources6 ${drop}`,
  'ip saddr @fenced4 jump fence',
  'ip6 saddr @fenced6 jump fence',
  'ct direction reply accept',
  relatedErrors,
  'iifname . ip daddr . meta l4proto . th dport @reach4 accept',
  'iifname . ip6 daddr . meta l4proto . th dport @reach6 accept',
  'jump egress',
  'ct state established iifname . ip daddr . meta l4proto . th dport @leaving4 accept',
  'ct state established iifname . ip6 daddr . meta l4proto . th dport @leaving6 accept',
  drop,
]

const postrouting = [
  'ip daddr @fenced4 jump fence',
  'ip6 daddr @fenced6 jump fence',
  'ct direction reply oifname @bridges goto to_bridge',
  'ct direction reply ip saddr . meta l4proto . th sport @published4 goto published_answers',
  'ct direction reply ip6 saddr . meta l4proto . th sport @published6 goto published_answers',
]

const toBridge = [
  relatedErrors,
  'oifname . ip saddr . meta l4proto . th sport @reach4 accept',
  'oifname . ip6 saddr . meta l4proto . th sport @reach6 accept',
  'jump egress_answers',
  'oifname . ip saddr . meta l4proto . th sport @leaving4 accept',
  'oifname . ip6 saddr . meta l4proto . th sport @leaving6 accept',
  drop,
]

function egressRules(
  { devices, rules: allowed }: Egress,
  interfaceKey: string,
  addressKey: string,
  portKey: string,
): readonly string[] {
  const names = devices.map((device) => `"${device}"`).join(', ')
  return allowed.flatMap(({ to, protocol, ports }) => {
    const family = familyOf(to)
    if (family === null) return []
    const where = `${family === 4 ? 'ip' : 'ip6'} ${addressKey} ${to}`
    const what =
      ports.length === 0
        ? `meta l4proto ${protocol}`
        : `${protocol} ${portKey} { ${[...new Set(ports)].join(', ')} }`
    return [`${interfaceKey} { ${names} } ${where} ${what} accept`]
  })
}
