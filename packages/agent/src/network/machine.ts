import { readFile } from 'node:fs/promises'

import { filterBridges, whyNotFiltered } from './bridge-filter.ts'
import { whyNoIpv6 } from './ipv6.ts'
import type { Kernel } from './kernel.ts'
import { whyNotEnforced } from './nft.ts'

/** What of this machine's network others may change at any time. */
export interface Machine {
  /** Why its kernel cannot hold zones; empty when it can. */
  whyUnenforced(): Promise<string>
  /** Why bridges get no IPv6; empty when they do. */
  whyNoIpv6(): Promise<string>
  /** Names of its network interfaces. */
  devices(): Promise<ReadonlySet<string>>
  /** Has packets between containers of one bridge pass the rules; says what had to be set for that. */
  filterBridges(): Promise<readonly string[]>
}

export const thisMachine = (kernel: Kernel): Machine => ({
  whyUnenforced: async () => (await whyNotEnforced(kernel)) || (await whyNotFiltered()),
  whyNoIpv6,
  devices,
  filterBridges,
})

/** As this process sees them: what is below /sys may be another namespace's. */
async function devices(): Promise<ReadonlySet<string>> {
  const lines = (await readFile('/proc/self/net/dev', 'utf8')).split('\n')
  return new Set(lines.flatMap((line) => /^\s*([^\s:]+):/.exec(line)?.[1] ?? []))
}
