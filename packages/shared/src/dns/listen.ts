import type { DnsListening, ListenDns } from './server.ts'
import { listenTcp } from './tcp-server.ts'
import { listenUdp } from './udp-server.ts'

/** A free port of UDP may be taken for TCP. */
const freePortAttempts = 10

export const listenDns: ListenDns = async (address, port, handler) => {
  for (let attempt = 1; ; attempt++) {
    const udp = await listenUdp(address, port, handler)
    const tcp = await listenTcp(address, udp.port, handler).catch(async (error: unknown) => {
      await udp.close()
      if (port !== 0 || attempt === freePortAttempts) throw error
      return null
    })
    if (tcp !== null) return both(udp, tcp)
  }
}

const both = (udp: DnsListening, tcp: DnsListening): DnsListening => ({
  port: udp.port,
  close: async () => {
    await Promise.all([udp.close(), tcp.close()])
  },
})
