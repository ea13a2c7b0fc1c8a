import { Agent, type IncomingMessage, request } from 'node:http'

import { errorCatalogue } from '@bulkhead/shared'

import { expect } from './target.ts'

export interface Sent {
  readonly method: string
  /** As it stands in the request line. */
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | string | null
}

export interface Answer {
  readonly status: number
  readonly type: string
  /** Of a stream the beginning, of an answer without a body nothing. */
  readonly text: string
}

/** Every answer, or the first of a stream, has to be there after this. */
const answerMs = 15_000
const keptBytes = 8 * 1024 * 1024

async function textOf(response: IncomingMessage, isStream: boolean): Promise<string> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (isStream || length > keptBytes) break
  }
  return Buffer.concat(chunks).toString()
}

/** Sends requests to a server on loopback, each over a connection that is kept as long as it can be. */
export class HttpSender implements Disposable {
  readonly #url: URL
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 16 })

  constructor(url: string) {
    this.#url = new URL(url)
  }

  send({ method, path, headers, body }: Sent): Promise<Answer> {
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    const { hostname, port } = this.#url
    const signal = AbortSignal.timeout(answerMs)
    // Without a length, Node.js sends the body of a DELETE as if it were the next request.
    const length = body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const outgoing = request({
      hostname,
      port,
      method,
      path,
      headers: { ...headers, ...length },
      agent: this.#agent,
      signal,
    })
    outgoing.on('response', (response) => {
      const type = response.headers['content-type'] ?? ''
      const isStream = /event-stream|ndjson/.test(type)
      textOf(response, isStream).then(
        (text) => resolve({ status: response.statusCode ?? 0, type, text }),
        reject,
      )
    })
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // A refusal that does not wait for the end of a large body; the next request asks whether it lives.
      const isCut = error.code === 'EPIPE' || error.code === 'ECONNRESET'
      if (isCut && (body?.length ?? 0) > 64 * 1024) resolve({ status: 0, type: '', text: '' })
      else reject(new Error(`${method} ${path.slice(0, 100)}: ${error.message}`, { cause: error }))
    })
    outgoing.end(body ?? undefined)
    return promise
  }

  [Symbol.dispose](): void {
    this.#agent.destroy()
  }
}

/** Refusals of a server that has a reason why it cannot, not a fault. */
const permitted = new Set(['store-failed', 'agent-unreachable'])

/** Throws unless the answer keeps to the rules for success and for errors. */
export function checkAnswer(method: string, { status, type, text }: Answer): void {
  if (status === 0) return
  const shown = `${status} ${type} ${JSON.stringify(text.slice(0, 300))}`
  if (status < 400) {
    if (type.startsWith('application/json') && method !== 'HEAD') JSON.parse(text)
    return
  }
  expect(type.startsWith('application/problem+json'), `an error that is no problem: ${shown}`)
  if (method === 'HEAD') return
  const { code, detail, status: stated } = JSON.parse(text) as Record<string, unknown>
  expect(typeof code === 'string' && Object.hasOwn(errorCatalogue, code), `no code: ${shown}`)
  const { status: usual } = errorCatalogue[code as keyof typeof errorCatalogue]
  expect(stated === status && usual === status, `the status differs from the code: ${shown}`)
  expect(typeof detail === 'string' && detail !== '', `no detail: ${shown}`)
  expect(status < 500 || permitted.has(code), `a fault of the server: ${shown}`)
}
