import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import fc from 'fast-check'

import { anyText } from '../data/json.ts'
import { mutatedText } from '../data/mutate.ts'
import { checkAnswer } from './http.ts'
import { expect } from './target.ts'

/** For a whole request, however wrong; a half one is waited for by the server. */
const answerMs = 1000

function open(url: string): Socket {
  const { hostname, port } = new URL(url)
  // Being cut off is an answer as well.
  return connect(Number(port), hostname).on('error', () => {})
}

/** Requests as they are on the wire, and what is left of them after some damage. */
export function rawText(token: string): fc.Arbitrary<string> {
  const body = '{"replicas":1}'
  const head = `Host: x\r\nAuthorization: Bearer ${token}\r\n`
  const whole = fc.constantFrom(
    `GET /v1/services HTTP/1.1\r\n${head}\r\n`,
    `POST /v1/services/default/web/scale HTTP/1.1\r\n${head}Content-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    `POST /v1/plan HTTP/1.1\r\n${head}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\ne\r\n${body}\r\n0\r\n\r\n`,
    `POST /v1/plan HTTP/1.1\r\n${head}Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    `GET /v1/agent/session HTTP/1.1\r\n${head}Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
    `GET /healthz HTTP/1.1\r\n${head}\r\nGET /nope HTTP/1.1\r\n${head}\r\n`,
    `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n`,
    `GET / HTTP/1.1\r\n${head}X: ${'x'.repeat(20_000)}\r\n\r\n`,
    `GET / HTTP/1.1\r\n${head}${'x: y\r\n'.repeat(3000)}\r\n`,
    `GET /${'x'.repeat(70_000)} HTTP/1.1\r\n${head}\r\n`,
    '\u0016\u0003\u0001\u0002\u0000\u0001\u0000',
  )
  return fc.oneof(
    mutatedText(whole),
    fc.array(anyText, { maxLength: 20 }).map((parts) => parts.join('')),
  )
}

/**
 * Errors that the HTTP server of Node.js gives before there is a request to answer; they have no body that
 * could be something else.
 */
const isEmptyRefusal = (head: string, body: string): boolean =>
  /^HTTP\/1\.1 4\d\d /.test(head) && /^(0\r\n\r\n|$)/.test(body)

/** Throws unless what comes back first is nothing at all, or an answer as it should be. */
export async function rawBytes(url: string, text: string): Promise<void> {
  const socket = open(url)
  let received = ''
  socket.on(
    'data',
    (data: Buffer) => (received = `${received}${data.toString()}`.slice(0, 1_000_000)),
  )
  socket.write(text)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await Promise.race([closed, delay(received === '' ? answerMs / 10 : answerMs)])
  socket.destroy()
  if (received === '') return
  expect(
    /^HTTP\/1\.[01] \d{3} /.test(received),
    `no HTTP: ${JSON.stringify(received.slice(0, 200))}`,
  )
  const [head = '', body = ''] = received.split(/\r\n\r\n(.*)/s)
  const status = Number(head.slice(9, 12))
  const type = /content-type: (.*)/i.exec(head)?.[1] ?? ''
  const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? '0')
  if (isEmptyRefusal(head, body) || status < 400) return
  if (text.startsWith('HEAD ')) return
  checkAnswer('RAW', { status, type, text: Buffer.from(body).subarray(0, length).toString() })
}

/** Many connections that begin a request and do not end it are in nobody's way. */
export async function halfRequests(
  url: string,
  text: string,
  inspect: () => Promise<void>,
): Promise<void> {
  const sockets = Array.from({ length: 200 }, (_, index) => {
    const socket = open(url)
    socket.write(text.slice(0, index % (text.length + 1)))
    return socket
  })
  try {
    await delay(50)
    await inspect()
  } finally {
    for (const socket of sockets) socket.destroy()
  }
}
