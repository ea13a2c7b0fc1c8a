import { familyOf } from './address.ts'
import type { Bridge } from './bridge.ts'

/** What a bridge lacks of what others have, in sentences; `noIpv6` is why this machine gives new ones no IPv6. */
export function shortcomingsOf(bridge: Bridge, noIpv6: string): readonly string[] {
  const { device, network, subnets, fenced } = bridge
  const name = `the bridge ${device} of the network ${network}`
  const families = new Set(subnets.map(familyOf))
  const why =
    noIpv6 === ''
      ? 'it was made without: it is made anew when nothing has run on it for ten minutes'
      : noIpv6
  const unfenced = [...families].filter(
    (family) => !fenced.some((part) => familyOf(part) === family),
  )
  return [
    ...(families.has(6) ? [] : [`${name} has no IPv6 (${why}); containers on it have IPv4 only`]),
    ...unfenced.map(
      (family) =>
        `${name} has no part of IPv${family} for exclusive instances alone, so that the kernel fences them from the moment at which they run and not before: remove the network when nothing runs on it`,
    ),
  ]
}
