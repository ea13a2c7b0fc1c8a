/** A way for single datagrams to the server and back: they may get lost, come twice or in another order. */
export interface DatagramSocket {
  /** Does not throw: what cannot be sent is lost. */
  send(datagram: Uint8Array): void
  close(): void
}

export interface Datagrams {
  /** To the server of the session with this URL. */
  open(url: string, onDatagram: (datagram: Uint8Array) => void): DatagramSocket
}
