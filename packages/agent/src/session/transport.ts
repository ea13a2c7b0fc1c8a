/** One open connection to the control plane. Frames arrive whole and in order, or not at all. */
export interface Connection {
  send(text: string): void
  /** What was sent and has not left this process yet. */
  readonly bufferedBytes: number
  /** Ends it; `onClose` is called, once, in any case. */
  close(): void
}

export interface ConnectionHandlers {
  readonly onMessage: (text: string) => void
  readonly onClose: (reason: string) => void
}

/** Opens connections; rejects when there is none within the transport's own deadline, or when it is refused. */
export interface Transport {
  open(url: string, token: string, handlers: ConnectionHandlers): Promise<Connection>
}

/** The control plane is there and says no: the token is not, or no longer, good. */
export class RefusedByServer extends Error {
  override name = 'RefusedByServer'
}
