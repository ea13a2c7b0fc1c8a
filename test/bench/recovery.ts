import type { Host } from '../engines/host.ts'
import { crash } from '../cluster/witness.ts'

const timeoutMs = 30_000

/**
 * Kills the container's first process and returns the time until an engine reports the start of another container
 * with the same label `key=value`, on whatever host, in milliseconds, both taken by this process.
 */
export async function killToRunning(
  hosts: readonly Host[],
  host: Host,
  containerId: string,
  label: string,
): Promise<number> {
  const streams = await Promise.all(
    hosts.map(
      async ({ docker }) =>
        (await docker.getEvents({
          filters: { type: ['container'], event: ['start'], label: [label] },
        })) as NodeJS.ReadableStream & { destroy(): void },
    ),
  )
  try {
    return await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing started within ${timeoutMs} ms`)), timeoutMs)
      let since = 0
      const take = (): void => {
        clearTimeout(timer)
        resolve(performance.now() - since)
      }
      for (const stream of streams) stream.on('data', take)
      since = performance.now()
      crash(host, containerId).catch(reject)
    })
  } finally {
    for (const stream of streams) stream.destroy()
  }
}
