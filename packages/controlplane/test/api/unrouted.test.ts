import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { test } from 'tap'

import { serve } from './serve.ts'

/** What comes back for these bytes until the server ends the connection. */
async function answerTo(url: string, text: string): Promise<{ status: number; type: string; code: unknown }> {
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  let received = ''
  socket.on('data', (data) => (received += data.toString()))
  socket.write(text)
  await once(socket, 'close')
  const [head = '', body = ''] = received.split(/\r\n\r\n(.*)/s)
  const type = /content-type: ([^;\r]*)/i.exec(head)?.[1] ?? ''
  const code = type === 'application/problem+json' ? (JSON.parse(body) as { code: unknown }).code : ''
  return { status: Number(head.slice(9, 12)), type, code }
}

const upgrade = (path: string, rest = ''): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: ${rest}\r\n\r\n`

test('what is no request is answered with a problem', async (t) => {
  await using served = await serve()
  const type = 'application/problem+json'
  const cases: readonly (readonly [string, number, string])[] = [
    ['nonsense\r\n\r\n', 400, 'bad-request'],
    [`GET / HTTP/1.1\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, 413, 'too-large'],
    ['POST /v1/apply HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n', 400, 'bad-request'],
    ['GET / HTTP/1.1\r\nHost: x\r\nExpect: miracles\r\n\r\n', 400, 'bad-request'],
    [upgrade('/v1/agent/session', 'websocket'), 401, 'not-authenticated'],
    [upgrade('/v1/agent/session', `websocket\r\nAuthorization: Bearer ${served.admin}`), 403, 'not-allowed'],
  ]
  for (const [text, status, code] of cases) {
    t.same(await answerTo(served.url, text), { status, type, code }, text.slice(0, 60))
  }
})

test('who offers another protocol is answered in this one', async (t) => {
  await using served = await serve()
  for (const protocol of ['h2c', 'websocket']) {
    const text = upgrade('/healthz', protocol).replace('Upgrade\r\n', 'Upgrade, close\r\n')
    t.match(await answerTo(served.url, text), { status: 200, type: 'application/json' }, protocol)
  }
})

test('a connection that is cut while its upgrade is refused harms nobody', async (t) => {
  await using served = await serve()
  const { hostname, port } = new URL(served.url)
  for (let round = 0; round < 50; round++) {
    const socket = connect(Number(port), hostname).on('error', () => {})
    await once(socket, 'connect')
    socket.write(upgrade('/v1/agent/session', 'websocket'))
    setImmediate(() => socket.resetAndDestroy())
    await delay(2)
  }
  t.equal((await served.call('GET', '/readyz')).status, 200)
})
