import { formatCidr, networkOf, parseCidr } from '../cidr.ts'
import { pointerTo } from '../pointer.ts'
import type { ZonesSource } from '../source.ts'
import type { Problem } from './problem.ts'
import { hint, shownText } from './shown.ts'

function* reachProblems({ zones }: ZonesSource): Iterable<Problem> {
  const declared = Object.keys(zones)
  if (declared.length === 0)
    yield { path: '/zones', message: 'zones must declare at least one zone' }
  for (const [zone, { reaches = [] }] of Object.entries(zones)) {
    for (const [index, reached] of reaches.entries()) {
      if (Object.hasOwn(zones, reached)) continue
      const path = pointerTo('zones', zone, 'reaches', index)
      yield { path, message: `there is no zone "${reached}" in zones${hint(reached, declared)}` }
    }
  }
}

function* egressProblems({ zones }: ZonesSource): Iterable<Problem> {
  for (const [zone, { egress = [] }] of Object.entries(zones)) {
    for (const [index, { to }] of egress.entries()) {
      const message = whyNotTo(to)
      if (message !== null) yield { path: pointerTo('zones', zone, 'egress', index, 'to'), message }
    }
  }
}

function whyNotTo(to: string): string | null {
  const cidr = parseCidr(to)
  if (cidr === null) {
    return `${shownText(to)} is neither an address nor a network such as 10.20.0.0/16`
  }
  const network = networkOf(cidr)
  if (network.address === cidr.address) return null
  return `${shownText(to)} names an address within a network: say ${formatCidr(network)} for all of it, or ${cidr.address} for that address alone`
}

/** What zones that their schema accepts still have wrong. */
export const zonesProblems = (source: ZonesSource): Problem[] => [
  ...reachProblems(source),
  ...egressProblems(source),
]
