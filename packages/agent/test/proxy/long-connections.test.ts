import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

import { t as tap, test } from 'tap'

import { configOf, port, services, skip, startProxy } from './support/real-proxy.ts'

const timeout = 180_000
tap.setTimeout(timeout)

const host = services.replace('.0.0/16', '.0.1')

/** Answers with what it is sent, for as long as it is connected to. */
async function startEcho(): Promise<{ address: string; port: number; stop: () => void }> {
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    address: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    stop: () => server.close(),
  }
}

async function echoes(socket: Socket): Promise<boolean> {
  if (socket.destroyed || socket.readableEnded) return false
  socket.write('x')
  return Promise.race([
    once(socket, 'data').then(() => true),
    once(socket, 'close').then(() => false),
    once(socket, 'end').then(() => false),
  ])
}

async function open(): Promise<Socket> {
  const socket = connect(port, host)
  socket.on('error', () => {})
  await once(socket, 'connect')
  if (!(await echoes(socket))) throw new Error('a connection was not passed on')
  return socket
}

void test('long connections outlive many changes of frontends', { skip, timeout }, async (t) => {
  await using real = await startProxy()
  const echo = await startEcho()
  const servers = [{ name: 'echo', address: echo.address, port: echo.port, weight: 100 }]
  const sockets: Socket[] = []
  for (let change = 0; change < 23; change++) {
    const more = change % 2
    await real.proxy.apply(configOf({ mode: 'tcp', clientAddress: 'none', servers, more }))
    sockets.push(await open())
  }
  const live = await Promise.all(sockets.map((socket) => echoes(socket)))
  t.equal(live.filter(Boolean).length, sockets.length, 'all of them')
  for (const socket of sockets) socket.destroy()
  echo.stop()
})

void test(
  'too many processes that were replaced: the fewest connections are cut',
  { skip, timeout },
  async (t) => {
    await using real = await startProxy({ mostReplaced: 3 })
    const echo = await startEcho()
    const servers = [{ name: 'echo', address: echo.address, port: echo.port, weight: 100 }]
    const bySize: Socket[][] = []
    for (const [change, size] of [3, 1, 2, 3, 1, 4, 1].entries()) {
      const more = change % 2
      await real.proxy.apply(configOf({ mode: 'tcp', clientAddress: 'none', servers, more }))
      const sockets: Socket[] = []
      for (let count = 0; count < size; count++) sockets.push(await open())
      bySize.push(sockets)
    }
    const live: number[] = []
    for (const sockets of bySize) {
      live.push((await Promise.all(sockets.map((socket) => echoes(socket)))).filter(Boolean).length)
    }
    t.strictSame(
      live,
      [3, 0, 0, 3, 0, 4, 1],
      'three that were replaced, and the one that takes new ones',
    )
    for (const socket of bySize.flat()) socket.destroy()
    echo.stop()
  },
)
