import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import t, { type Test } from 'tap'

import { DockerEngine } from '../../src/engine/docker-engine.ts'
import { defaultLimits } from '../../src/engine/docker-payload.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** Takes connections and requests, and says nothing. */
async function silentEngine(
  t: Test,
): Promise<{ engine: DockerEngine; clock: FakeClock; asked: () => number }> {
  const sockets: Socket[] = []
  let asked = 0
  const server = createServer((socket) => {
    sockets.push(socket)
    socket.on('data', () => (asked += 1))
  })
  const socketPath = join(await mkdtemp(join(tmpdir(), 'bulkhead-silent-')), 'docker.sock')
  server.listen(socketPath)
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
    return rm(dirname(socketPath), { recursive: true })
  })
  const clock = new FakeClock()
  return {
    engine: new DockerEngine({ clock }, { socketPath, limits: defaultLimits, withIpv6: false }),
    clock,
    asked: () => asked,
  }
}

t.test('an operator does not wait for an engine that says nothing', async (t) => {
  const { engine, clock, asked } = await silentEngine(t)
  const { signal } = new AbortController()
  const logs = engine.logs('c', { follow: false, sinceMs: null, tail: 1 }, signal).next()
  const calls: Promise<unknown>[] = [logs, engine.exec('c', ['/bin/true'], signal)]
  const refused = calls.map((call) =>
    t.rejects(call, { kind: 'unreachable', message: /did not answer within/ }),
  )
  while (asked() < calls.length) await new Promise((resolve) => void setTimeout(resolve, 5))
  await clock.pass(10_000)
  await Promise.all(refused)
})
