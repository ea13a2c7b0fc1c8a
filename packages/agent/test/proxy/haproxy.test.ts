import { Agent } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { t as tap, test } from 'tap'

import type { Haproxy } from '../../src/proxy/haproxy.ts'
import { ask, startLoad } from './support/clients.ts'
import { type Instance, startInstance } from './support/instance.ts'
import { configOf, port, skip, startProxy, url, urlOf } from './support/real-proxy.ts'

tap.setTimeout(120_000)

const serversOf = (instances: readonly Instance[]) => instances.map(({ server }) => server)

void test(
  'no request fails while servers and frontends come and go',
  { skip, timeout: 90_000 },
  async (t) => {
    await using real = await startProxy()
    const { proxy } = real
    const first = [
      await startInstance('web-0'),
      await startInstance('web-1'),
      await startInstance('web-2'),
    ]
    let instances = [...first]
    let more = 0
    await proxy.apply(configOf({ servers: serversOf(instances) }))
    const load = startLoad(url)
    const afterwards: string[] = []
    for (let round = 3; round < 8; round++) {
      const added = await startInstance(`web-${round}`)
      const [withdrawn, ...rest] = instances
      await proxy.apply(configOf({ servers: serversOf([...instances, added]), more }))
      await delay(100)
      instances = [...rest, added]
      // Every other time together with another frontend, or one fewer.
      if (round % 2 === 0) more = (more + 1) % 3
      await proxy.apply(configOf({ servers: serversOf(instances), more }))
      const seen = withdrawn?.requests ?? 0
      const cut = await withdrawn?.stop()
      if (withdrawn?.requests !== seen)
        afterwards.push(`${(withdrawn?.requests ?? 0) - seen} to ${withdrawn?.server.name}`)
      if (cut !== 0) afterwards.push(`${cut} connections of ${withdrawn?.server.name} were left`)
      const weights = instances.map(({ server }, index) => ({ ...server, weight: 50 + index }))
      await proxy.apply(configOf({ servers: weights, more }))
      await delay(100)
    }
    await load.stop()
    for (const instance of instances) instance.kill()
    t.comment(`answered ${JSON.stringify(load.answered)}`)
    t.strictSame(load.failures, [], 'nothing failed')
    t.strictSame(afterwards, [], 'what was withdrawn got nothing new, and its connections ended')
    t.equal(Object.keys(load.answered).length, 7, 'every kind of client was answered')
  },
)

void test(
  'a connection to a process that is replaced goes by the new table',
  { skip, timeout: 90_000 },
  async (t) => {
    await using real = await startProxy()
    const old = await startInstance('web-0')
    const next = await startInstance('web-1')
    await real.proxy.apply(configOf({ servers: [old.server] }))
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    t.equal((await ask({ url, agent })).body, 'web-0')
    await real.proxy.apply(configOf({ servers: [old.server], more: 1 }))
    await real.proxy.apply(configOf({ servers: [next.server], more: 1 }))
    await old.stop()
    const answer = await ask({ url, agent })
    t.equal(answer.body, 'web-1')
    t.equal(answer.headers['x-seen-for'], '127.0.0.1', 'the client is named all the same')
    t.equal(answer.headers['connection'], 'close', 'the client is asked to connect anew')
    next.kill()
    agent.destroy()
  },
)

void test(
  'idle connections to a withdrawn server are closed',
  { skip, timeout: 90_000 },
  async (t) => {
    await using real = await startProxy()
    const [left, right] = [await startInstance('web-0'), await startInstance('web-1')]
    await real.proxy.apply(configOf({ servers: [left.server, right.server] }))
    const agent = new Agent({ keepAlive: true, maxSockets: 4 })
    await Promise.all(Array.from({ length: 40 }, () => ask({ url, agent })))
    t.ok((await left.connections()) > 0, 'it has idle connections')
    await real.proxy.apply(configOf({ servers: [right.server] }))
    await delay(50)
    t.equal(await left.connections(), 0)
    for (const instance of [left, right]) instance.kill()
    agent.destroy()
  },
)

void test('weights are shares of requests', { skip, timeout: 90_000 }, async (t) => {
  await using real = await startProxy()
  const [left, right] = [await startInstance('web-0'), await startInstance('web-1')]
  const servers = [
    { ...left.server, weight: 10 },
    { ...right.server, weight: 90 },
  ]
  await real.proxy.apply(configOf({ servers: serversOf([left, right]) }))
  await real.proxy.apply(configOf({ servers }))
  for (let count = 0; count < 200; count++) await ask({ url })
  t.equal(left.requests, 20)
  await real.proxy.apply(
    configOf({ servers: servers.map((one) => ({ ...one, weight: one.weight === 10 ? 0 : 90 })) }),
  )
  for (let count = 0; count < 50; count++) await ask({ url })
  t.equal(left.requests, 20, 'weight 0 gets nothing new')
  const traffic = await real.proxy.stats()
  t.match(
    traffic.find(({ server }) => server === 'web-0'),
    { requests: 20, errors: 0, backend: 'test.web.http' },
  )
  for (const instance of [left, right]) instance.kill()
})

void test(
  'what can be repeated without harm is, the rest is not',
  { skip, timeout: 90_000 },
  async (t) => {
    await using real = await startProxy()
    const [dead, good] = [await startInstance('web-0'), await startInstance('web-1')]
    await real.proxy.apply(configOf({ servers: [dead.server, good.server] }))
    dead.kill()
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask({ url, method: 'POST', body: Buffer.from('x') })),
    )
    t.ok(
      answers.every(({ status }) => status === 200),
      'a server that has died a moment ago costs no request',
    )
    const both = [good, await startInstance('web-2')]
    await real.proxy.apply(configOf({ servers: serversOf(both) }))
    const seen = () => both.reduce((sum, { requests }) => sum + requests, 0)
    const before = seen()
    const posted = await ask({ url: `${url}/break`, method: 'POST', body: Buffer.from('x') }).catch(
      () => ({ status: 502 }),
    )
    t.equal(posted.status, 502)
    t.equal(seen() - before, 1, 'a POST that may have arrived is not sent again')
    await ask({ url: `${url}/break` }).catch(() => null)
    t.ok(seen() - before > 2, 'a GET is')
    for (const instance of both) instance.kill()
  },
)

void test(
  'a HAProxy that is killed is back within a second',
  { skip, timeout: 90_000 },
  async (t) => {
    await using real = await startProxy()
    const { proxy } = real
    const instance = await startInstance('web-0')
    await proxy.apply(configOf({ servers: [instance.server] }))
    const watching = new AbortController()
    const guarding = proxy.guard(watching.signal)
    for (const part of ['master', 'worker'] as const) {
      const before = proxy.pid ?? 0
      const [worker] = await statsOf(proxy)
      process.kill(part === 'master' ? before : (worker?.process ?? 0), 'SIGKILL')
      const since = performance.now()
      let isBack = false
      while (!isBack && performance.now() - since < 5000) {
        isBack = proxy.pid !== before && (await answers())
        await delay(5)
      }
      const tookMs = Math.round(performance.now() - since)
      t.comment(`${part} killed: back after ${tookMs} ms`)
      t.ok(isBack, part)
    }
    watching.abort()
    await guarding
    instance.kill()
  },
)

/** It answers clients a moment before it answers us. */
async function statsOf(proxy: Haproxy): ReturnType<Haproxy['stats']> {
  for (let tries = 0; tries < 200; tries++) {
    const stats = await proxy.stats().catch(() => [])
    if (stats.length > 0) return stats
    await delay(10)
  }
  return proxy.stats()
}

const answers = (): Promise<boolean> =>
  ask({ url }).then(
    ({ status }) => status === 200,
    () => false,
  )

void test('another agent adopts the one that runs', { skip, timeout: 90_000 }, async (t) => {
  await using real = await startProxy()
  const [left, right] = [await startInstance('web-0'), await startInstance('web-1')]
  await real.proxy.apply(configOf({ servers: [left.server] }))
  const { pid } = real.proxy
  const [before] = await real.proxy.stats()
  const next = await real.again()
  await next.apply(configOf({ servers: [left.server] }))
  t.equal(next.pid, pid)
  await next.apply(configOf({ servers: [right.server] }))
  t.equal((await ask({ url })).body, 'web-1')
  t.equal((await next.stats())[0]?.process, before?.process, 'not even its workers were replaced')
  for (const instance of [left, right]) instance.kill()
})

void test(
  'an address that somebody else uses is left out, and taken when it is free',
  { skip, timeout: 90_000 },
  async (t) => {
    await using real = await startProxy()
    const instance = await startInstance('web-0')
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(port, new URL(urlOf(2)).hostname, resolve))
    const config = configOf({ servers: [instance.server], more: 2 })
    const { leftOut } = await real.proxy.apply(config)
    t.match(leftOut, [/:8080 is in use by another program: test\.web1\.http is not offered/])
    t.equal((await ask({ url: urlOf(3) })).status, 200)
    await new Promise((resolve) => other.close(resolve))
    t.strictSame((await real.proxy.apply(config)).leftOut, [])
    t.equal((await ask({ url: urlOf(2) })).status, 200)
    instance.kill()
  },
)

void test(
  'mode tcp with the PROXY protocol names the client',
  { skip, timeout: 90_000 },
  async (t) => {
    await using real = await startProxy()
    const echo = createServer((socket) => {
      socket.once('data', (data) => socket.end(data))
    })
    await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve))
    const server = {
      name: 'db-0',
      address: '127.0.0.1',
      port: (echo.address() as AddressInfo).port,
      weight: 100,
    }
    await real.proxy.apply(configOf({ servers: [server], mode: 'tcp', clientAddress: 'proxy' }))
    const heard = await new Promise<Buffer>((resolve, reject) => {
      const chunks: Buffer[] = []
      const socket = connect(port, new URL(url).hostname, () => socket.write('hello'))
      socket.on('data', (chunk) => chunks.push(chunk))
      socket.on('end', () => resolve(Buffer.concat(chunks)))
      socket.on('error', reject)
    })
    t.equal(heard.subarray(0, 12).toString('latin1'), '\r\n\r\n\0\r\nQUIT\n')
    t.strictSame(
      [...heard.subarray(16, 20)],
      [127, 0, 0, 1],
      'the address that the client came from',
    )
    echo.close()
  },
)

void test('it runs where there is nothing to offer yet', { skip, timeout: 30_000 }, async (t) => {
  await using real = await startProxy()
  const instance = await startInstance('web-0')
  const config = configOf({ servers: [instance.server] })
  const empty = { ...config, frontends: [], backends: [] }
  await real.proxy.apply(empty)
  await real.proxy.apply(config)
  t.equal((await fetch(url)).status, 200)
  await real.proxy.apply(empty)
  t.not((await fetch(url).catch(() => null))?.status, 200, 'nothing is offered any more')
  await real.proxy.apply(config)
  t.equal((await fetch(url)).status, 200)
  instance.kill()
})
