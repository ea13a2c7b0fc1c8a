import { createSocket } from 'node:dgram'
import type { AddressInfo } from 'node:net'

import { maxBeatBytes } from '@bulkhead/shared'

import type { Logger } from '../logger.ts'
import type { Beats } from './beats.ts'

/**
 * Hears beats at the address at which the API listens, by UDP. Where that cannot be had the control plane goes on
 * without them, as it does where a firewall lets none through. Ends with the signal.
 */
export function listenForBeats(beats: Beats, { address, port, family }: AddressInfo, logger: Logger, signal: AbortSignal): void {
  const socket = createSocket(family === 'IPv6' ? 'udp6' : 'udp4')
  socket.on('error', (error) => {
    logger.warn({ error: error.message }, 'beats of agents cannot be heard: nodes are judged by their sessions alone')
  })
  socket.on('message', (datagram, from) => {
    if (datagram.length > maxBeatBytes) return
    const answer = beats.receive(datagram)
    if (answer !== null) socket.send(answer, from.port, from.address, () => {})
  })
  socket.bind(port, address)
  signal.addEventListener('abort', () => socket.close(), { once: true })
}
