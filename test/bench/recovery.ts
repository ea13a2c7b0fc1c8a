import type Docker from 'dockerode'

import type { Host } from '../engines/host.ts'

const timeoutMs = 30_000
const nsPerMs = 1e6

type EventStream = NodeJS.ReadableStream & { destroy(): void }

/** Wall-clock milliseconds, with parts of them: engines, hosts and this process have one clock. */
const nowMs = (): number => performance.timeOrigin + performance.now()

/**
 * Kills the container's first process, past the engine, and returns the milliseconds until an engine started another
 * container with the same label `key=value`, on whatever host: from the kill, by the clock of the host, to the time of
 * the engine's event.
 */
export async function killToRunning(
  hosts: readonly Host[],
  host: Host,
  containerId: string,
  label: string,
): Promise<number> {
  const { State } = await host.docker.getContainer(containerId).inspect()
  const start = await nextStart(hosts, label)
  const output = await host.run(['sh', '-c', `date +%s%N; kill -9 ${State.Pid}`])
  return (await start()) - Number(output.trim()) / nsPerMs
}

/** Creates and starts a container through the engine's API alone; milliseconds from the request to its start. */
export async function createToRunning(host: Host, payload: Docker.ContainerCreateOptions, label: string): Promise<number> {
  const start = await nextStart([host], label)
  const sinceMs = nowMs()
  const container = await host.docker.createContainer(payload)
  const [startedAtMs] = await Promise.all([start(), container.start()])
  await container.remove({ force: true })
  return startedAtMs - sinceMs
}

/** Watches the engines; the function that it returns waits for the first start and says when that was. */
async function nextStart(hosts: readonly Host[], label: string): Promise<() => Promise<number>> {
  const streams: EventStream[] = []
  for (const { docker } of hosts) {
    const filters = { type: ['container' as const], event: ['start'], label: [label] }
    streams.push((await docker.getEvents({ filters })) as EventStream)
  }
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const timer = setTimeout(() => reject(new Error(`nothing started within ${timeoutMs} ms`)), timeoutMs)
  const take = (data: unknown): void => {
    const [line = ''] = String(data).split('\n')
    resolve((JSON.parse(line) as { timeNano: number }).timeNano / nsPerMs)
  }
  for (const stream of streams) stream.on('data', take)
  return () =>
    promise.finally(() => {
      clearTimeout(timer)
      for (const stream of streams) stream.destroy()
    })
}
