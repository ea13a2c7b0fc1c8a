import type { Host } from '../engines/host.ts'

type EventStream = NodeJS.ReadableStream & { destroy(): void }

/**
 * Runs `work` and returns the time until the engines have told of `count` starts of containers in all, in
 * milliseconds. The engines' own events are the same witness for every contender, and cost next to nothing.
 */
export async function timeToStarts(
  hosts: readonly Host[],
  count: number,
  timeoutMs: number,
  work: () => Promise<void>,
): Promise<number> {
  const streams = await Promise.all(hosts.map(openStarts))
  const all = countStarts(streams, count, timeoutMs)
  const since = performance.now()
  try {
    const [elapsedMs] = await Promise.all([all.then(() => performance.now() - since), work()])
    return elapsedMs
  } finally {
    for (const stream of streams) stream.destroy()
  }
}

async function openStarts({ docker }: Host): Promise<EventStream> {
  return (await docker.getEvents({
    filters: { type: ['container'], event: ['start'] },
  })) as NodeJS.ReadableStream & { destroy(): void }
}

function countStarts(streams: readonly EventStream[], count: number, timeoutMs: number): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = 0
    const fail = (): void => reject(new Error(`${seen} of ${count} containers started within ${timeoutMs} ms`))
    const timer = setTimeout(fail, timeoutMs)
    const take = (data: unknown): void => {
      // An event is a line, and several may come at once.
      seen += String(data).trim().split('\n').length
      if (seen < count) return
      clearTimeout(timer)
      resolve()
    }
    for (const stream of streams) stream.on('data', take)
  })
}
