import type { Transport } from './core/message.ts'

/** One message that somebody has sent. */
export interface DnsRequest {
  readonly message: Buffer
  readonly transport: Transport
  /** Source address. */
  readonly from: string
}

/** Resolves with the message to send back, or with null when there is none. Must not reject. */
export type DnsHandler = (request: DnsRequest) => Promise<Buffer | null>

export interface DnsListening {
  readonly port: number
  close(): Promise<void>
}

/**
 * Serves DNS over UDP and TCP on an address of this host. Rejects with `code` EADDRINUSE when the port is taken by
 * either; port 0 takes one that is free for both.
 */
export type ListenDns = (
  address: string,
  port: number,
  handler: DnsHandler,
) => Promise<DnsListening>
