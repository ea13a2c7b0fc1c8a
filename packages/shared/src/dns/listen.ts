import type { DnsListening, ListenDns } from './server.ts'
import { listenTcp } from './tcp-server.ts'
import { listenUdp } from './udp-server.ts'

/** A free port of UDP may be taken for TCP. */
const freePortAttempts = 10

const listener =
  (reusePort: boolean): ListenDns =>
  async (address, port, handler) => {
    for (let attempt = 1; ; attempt++) {
      const udp = await listenUdp(address, port, handler, reusePort)
      const tcp = await listenTcp(address, udp.port, handler, reusePort).catch(
        async (error: unknown) => {
          await udp.close()
          if (port !== 0 || attempt === freePortAttempts) throw error
          return null
        },
      )
      if (tcp !== null) return both(udp, tcp)
    }
  }

export const listenDns = listener(false)
/** Beside others of the same user that listen in this way, so that one can take over from another. */
export const listenDnsShared = listener(true)

const both = (udp: DnsListening, tcp: DnsListening): DnsListening => ({
  port: udp.port,
  close: async () => {
    await Promise.all([udp.close(), tcp.close()])
  },
})
