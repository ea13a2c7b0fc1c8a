import { fileURLToPath } from 'node:url'

import { waitFor } from '../engines/command.ts'
import type { Host } from '../engines/host.ts'

const program = fileURLToPath(new URL('relay-program.js', import.meta.url))
const port = 9100

/** Published ports are for nodes of the cluster: we are none, so that each host asks for us. */
export async function startRelays(hosts: readonly Host[]): Promise<void> {
  for (const host of hosts) {
    await host.exec([process.execPath, program, host.address, String(port)])
    await waitFor(`the relay of ${host.name}`, 10_000, async () => {
      const { status } = await fetch(`http://${host.address}:${port}/1/`)
      return status === 502
    })
  }
}

/** The URL at which a relay answers as the published port does. */
export const relayed = (
  { address, hostPort }: { readonly address: string; readonly hostPort: number },
  path: string,
): string => `http://${address}:${port}/${hostPort}${path}`
