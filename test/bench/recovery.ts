import type { Host } from '../engines/host.ts'
import { crash } from '../cluster/witness.ts'

const timeoutMs = 30_000

/**
 * Kills the container's first process and returns the time until the engine reports the start of another
 * container with the same label `key=value`, in milliseconds, both taken by this process.
 */
export async function killToRunning(host: Host, containerId: string, label: string): Promise<number> {
  const events = (await host.docker.getEvents({
    filters: { type: ['container'], event: ['start'], label: [label] },
  })) as NodeJS.ReadableStream & { destroy(): void }
  try {
    return await new Promise<number>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`nothing started within ${timeoutMs} ms`)), timeoutMs)
      let since = 0
      events.on('data', () => {
        clearTimeout(timer)
        resolve(performance.now() - since)
      })
      since = performance.now()
      crash(host, containerId).catch(reject)
    })
  } finally {
    events.destroy()
  }
}
