import type { Readable } from 'node:stream'

import type { Host } from '../engines/host.ts'

/** Follows the lines of JSON that a container writes, from its engine and not through Bulkhead. */
export class JsonLog<T> implements Disposable {
  readonly lines: T[] = []
  #stream: Readable | null = null

  async follow(host: Host, containerId: string): Promise<void> {
    const options = { follow: true, stdout: true, stderr: true, tail: 0 } as const
    const stream = await host.docker.getContainer(containerId).logs(options)
    this.#stream = stream as unknown as Readable
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

  [Symbol.dispose](): void {
    this.#stream?.destroy()
  }

  #take(line: string): void {
    if (!line.startsWith('{')) throw new Error(`the container says: ${line}`)
    this.lines.push(JSON.parse(line) as T)
  }
}
