import { readFile } from 'node:fs/promises'
import { type NetworkInterfaceInfo, networkInterfaces } from 'node:os'

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>

const dockerBridge = 'docker0'

/**
 * The address at which others reach this node when nobody has said: that of the interface with the default route,
 * else that of the engine's own bridge, which serves a machine without a network. Null when there is neither.
 */
export function chooseAddress(routes: string, interfaces: Interfaces): string | null {
  const name = defaultInterface(routes)
  const candidates = name === null ? [dockerBridge] : [name, dockerBridge]
  for (const candidate of candidates) {
    const found = interfaces[candidate]?.find(({ family }) => family === 'IPv4')
    if (found) return found.address
  }
  return null
}

/** From the kernel's table of routes: the default one with the lowest metric. */
function defaultInterface(routes: string): string | null {
  const defaults = routes
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((fields) => fields[1] === '00000000' && fields[7] === '00000000')
    .toSorted((a, b) => Number(a[6]) - Number(b[6]))
  return defaults[0]?.[0] ?? null
}

export async function findAddress(): Promise<string | null> {
  const routes = await readFile('/proc/net/route', 'utf8').catch(() => '')
  return chooseAddress(routes, networkInterfaces())
}
