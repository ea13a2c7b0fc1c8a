import type { Readable } from 'node:stream'

import type { Host } from '../engines/host.ts'

/** What the clients told of one second; times are wall-clock milliseconds of this machine. */
export interface Second {
  readonly atMs: number
  readonly requests: Readonly<Record<string, number>>
  readonly versions: Readonly<Record<string, number>>
  readonly failures: readonly { readonly atMs: number; readonly kind: string; readonly why: string }[]
  readonly reconnects: number
  readonly slowestMs: number
}

export interface Sum {
  readonly requests: number
  readonly failures: readonly string[]
  readonly versions: Readonly<Record<string, number>>
  readonly slowestMs: number
}

/** Adds up seconds. */
export function sumOf(seconds: readonly Second[]): Sum {
  const versions: Record<string, number> = {}
  let requests = 0
  for (const second of seconds) {
    for (const count of Object.values(second.requests)) requests += count
    for (const [version, count] of Object.entries(second.versions)) {
      versions[version] = (versions[version] ?? 0) + count
    }
  }
  const failures = seconds.flatMap((second) =>
    second.failures.map(({ atMs, kind, why }) => `${new Date(atMs).toISOString()} ${kind}: ${why}`),
  )
  return { requests, failures, versions, slowestMs: Math.max(0, ...seconds.map(({ slowestMs }) => slowestMs)) }
}

/** Follows what the clients in a container say, from its engine and not through Bulkhead. */
export class LoadLog implements Disposable {
  readonly seconds: Second[] = []
  #stream: Readable | null = null

  async follow(host: Host, containerId: string): Promise<void> {
    const stream = (await host.docker
      .getContainer(containerId)
      .logs({ follow: true, stdout: true, stderr: true, tail: 0 })) as unknown as Readable
    this.#stream = stream
    let rest = Buffer.alloc(0)
    let text = ''
    stream.on('data', (data: Buffer) => {
      rest = Buffer.concat([rest, data])
      // The engine's frames: a byte for the channel, three of nothing, four for the length.
      while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(4)) {
        const end = 8 + rest.readUInt32BE(4)
        text += rest.subarray(8, end).toString()
        rest = rest.subarray(end)
      }
      const lines = text.split('\n')
      text = lines.pop() ?? ''
      for (const line of lines) this.#take(line)
    })
    stream.on('error', () => {})
  }

  get requests(): number {
    return sumOf(this.seconds).requests
  }

  [Symbol.dispose](): void {
    this.#stream?.destroy()
  }

  #take(line: string): void {
    if (!line.startsWith('{')) throw new Error(`the clients say: ${line}`)
    this.seconds.push(JSON.parse(line) as Second)
  }
}
