import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { type ErrorCode, errorCatalogue } from '@bulkhead/shared/client'

export interface Recorded {
  readonly method: string
  /** With its query. */
  readonly url: string
  readonly token: string
  readonly body: unknown
}

export type Answer =
  | { readonly json: unknown }
  | {
      readonly problem: ErrorCode
      readonly detail: string
      readonly advice?: string
      readonly problems?: readonly object[]
    }
  | { readonly raw: (request: IncomingMessage, response: ServerResponse) => void }

/** By `METHOD /path?query`, or without the query; several answers are given one after the other. */
export type Answers = Readonly<Record<string, Answer | readonly Answer[]>>

export interface FakeServer {
  readonly url: string
  readonly requests: readonly Recorded[]
  close(): Promise<void>
}

/** Server-sent events: what each item of `events` says, then the connection stays open unless it shall end. */
export const eventStream = (
  events: readonly (object | string)[],
  options: { readonly end?: boolean; readonly everyMs?: number } = {},
): Answer => ({
  raw: (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.write(': watching\n\n')
    const texts = events.map((event) =>
      typeof event === 'string' ? event : `id: 1\ndata: ${JSON.stringify(event)}\n\n`,
    )
    const next = (): void => {
      const text = texts.shift()
      if (text !== undefined) response.write(text)
      if (texts.length > 0) timer = setTimeout(next, options.everyMs ?? 5)
      else if (options.end === true) response.end()
    }
    let timer = setTimeout(next, options.everyMs ?? 5)
    request.on('close', () => clearTimeout(timer))
    response.on('close', () => clearTimeout(timer))
  },
})

export const lineStream = (lines: readonly object[]): Answer => ({
  raw: (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    response.end(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  },
})

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const text = Buffer.concat(chunks).toString()
  return text === '' ? undefined : (JSON.parse(text) as unknown)
}

function send(answer: Answer, request: IncomingMessage, response: ServerResponse): void {
  if ('raw' in answer) {
    answer.raw(request, response)
    return
  }
  if ('json' in answer) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify(answer.json))
    return
  }
  const { problem, ...rest } = answer
  const { status, title } = errorCatalogue[problem]
  response.writeHead(status, { 'content-type': 'application/problem+json' })
  response.end(
    JSON.stringify({ type: `urn:bulkhead:${problem}`, title, status, code: problem, ...rest }),
  )
}

/** A real HTTP server with scripted answers; what is not scripted is not found. */
export async function startServer(answers: Answers): Promise<FakeServer> {
  const requests: Recorded[] = []
  const left = new Map(
    Object.entries(answers).map(([key, value]): [string, Answer[]] => [key, [value].flat()]),
  )
  const answerFor = (method: string, url: string): Answer => {
    const path = url.split('?')[0] ?? ''
    const list = left.get(`${method} ${url}`) ?? left.get(`${method} ${path}`)
    const answer = list !== undefined && list.length > 1 ? list.shift() : list?.[0]
    return answer ?? { problem: 'not-found', detail: `there is nothing at ${method} ${url}` }
  }
  const server = createServer((request, response) => {
    const respond = async (): Promise<void> => {
      const body = await readBody(request)
      const { method = '', url = '', headers } = request
      requests.push({ method, url, token: headers.authorization ?? '', body })
      send(answerFor(method, url), request, response)
    }
    void respond()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
}
