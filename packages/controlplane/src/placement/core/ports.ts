import { spreadHash, type Port } from '@bulkhead/shared'

/** The host ports of the cluster that services without a fixed one get; both ends belong to it. */
export interface PortRange {
  readonly first: number
  readonly last: number
}

export type Ports = Readonly<Record<string, Port>>

/** How ports are written in a node's usage: `tcp/8080`. */
export const portKey = (protocol: string, port: number): string => `${protocol}/${port}`

function firstFree(
  protocol: string,
  seed: string,
  taken: { has(key: string): boolean },
  { first, last }: PortRange,
): number | null {
  const size = last - first + 1
  if (size <= 0) return null
  const start = spreadHash(seed) % size
  for (let offset = 0; offset < size; offset++) {
    const port = first + ((start + offset) % size)
    if (!taken.has(portKey(protocol, port))) return port
  }
  return null
}

/**
 * Host ports by port name, or null when a fixed one is taken or the range has none left. Where the
 * search in the range starts depends on `seed` (the instance's id), so that a port that has just
 * become free is not handed out again at once, while equal inputs give equal ports.
 */
export function allocatePorts(
  ports: Ports,
  taken: { has(key: string): boolean },
  range: PortRange,
  seed: string,
): Readonly<Record<string, number>> | null {
  const entries = Object.entries(ports).toSorted(([a], [b]) => (a < b ? -1 : 1))
  if (entries.length === 0) return {}
  const mine = new Set<string>()
  const given: Record<string, number> = {}
  for (const [name, { protocol, host }] of entries) {
    if (host === null) continue
    const key = portKey(protocol, host)
    if (taken.has(key) || mine.has(key)) return null
    mine.add(key)
    given[name] = host
  }
  for (const [name, { protocol, host }] of entries) {
    if (host !== null) continue
    const either = { has: (key: string): boolean => taken.has(key) || mine.has(key) }
    const port = firstFree(protocol, `${seed} ${name}`, either, range)
    if (port === null) return null
    mine.add(portKey(protocol, port))
    given[name] = port
  }
  return given
}
