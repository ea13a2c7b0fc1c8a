import { readFile } from 'node:fs/promises'

const settings = '/proc/sys/net/ipv6/conf'
/** Flags of the kernel's table of routes: a gateway that a router advertised. */
const isAdvertised = 0x0004_0000

/**
 * Why bridges get no IPv6 on this machine; empty when they can. An engine that makes a bridge with IPv6 turns
 * forwarding on, and a machine that forwards no longer hears the advertisements that it may have its own route from.
 */
export async function whyNoIpv6(): Promise<string> {
  const disabled = await read(`${settings}/all/disable_ipv6`)
  if (disabled.trim() !== '0') return 'this machine has no IPv6'
  const forwards = (await read(`${settings}/all/forwarding`)).trim() === '1'
  const advertised = advertisedDevices(await read('/proc/net/ipv6_route'))
  for (const device of forwards ? [] : advertised) {
    const accepts = (await read(`${settings}/${device}/accept_ra`)).trim()
    if (accepts === '2') continue
    return `${device} has its IPv6 route from a router's advertisements, which bridges with IPv6 would stop: set net.ipv6.conf.${device}.accept_ra to 2`
  }
  return ''
}

/** Interfaces with a default route that was advertised. */
export function advertisedDevices(routes: string): readonly string[] {
  const lines = routes.split('\n').map((line) => line.trim().split(/\s+/))
  const found = lines.flatMap(([target, length, , , , , , , flags, device]) => {
    const isDefault = /^0+$/.test(target ?? '') && length === '00'
    const marks = Number.parseInt(flags ?? '0', 16)
    return isDefault && (marks & isAdvertised) !== 0 && device !== undefined ? [device] : []
  })
  return [...new Set(found)]
}

const read = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '')
