import type { Clock, Transport } from '@bulkhead/shared/client'

export interface Output {
  write(chunk: string | Uint8Array): void
  readonly isTTY: boolean
  /** Of the terminal as it is now; 80 and 24 where there is none. */
  readonly columns: number
  readonly rows: number
}

/** The world of a command: all that it reads, writes and waits for. */
export interface Cli {
  readonly stdout: Output
  readonly stderr: Output
  readonly env: Readonly<Record<string, string | undefined>>
  readonly clock: Clock
  readonly transport: Transport
  /** Aborted by Ctrl-C or a signal to end, with an Interrupted. */
  readonly signal: AbortSignal
  readonly stdin: AsyncIterable<Uint8Array | string>
}
