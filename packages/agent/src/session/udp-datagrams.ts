import { createSocket, type Socket } from 'node:dgram'
import { lookup } from 'node:dns'

import type { Datagrams } from './datagrams.ts'

const defaultPorts: Readonly<Record<string, number>> = { 'ws:': 80, 'wss:': 443 }

/** UDP to the port that the session has in TCP. Where nothing gets through, nobody is told of anything. */
export const udpDatagrams: Datagrams = {
  open(url, onDatagram) {
    const { hostname, port, protocol } = new URL(url)
    const host = hostname.replace(/^\[|\]$/g, '')
    const toPort = port === '' ? (defaultPorts[protocol] ?? 80) : Number(port)
    let socket: Socket | null = null
    let address = ''
    let isClosed = false
    lookup(host, (error, found, family) => {
      if (error || isClosed) return
      address = found
      socket = createSocket(family === 6 ? 'udp6' : 'udp4')
      socket.on('error', () => {})
      socket.on('message', onDatagram)
      socket.unref()
    })
    return {
      send: (datagram) => socket?.send(datagram, toPort, address, () => {}),
      close: () => {
        isClosed = true
        socket?.close()
        socket = null
      },
    }
  },
}
