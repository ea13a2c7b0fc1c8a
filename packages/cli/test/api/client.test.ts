import {
  BulkheadError,
  createClient,
  fetchTransport,
  type ListName,
  type Transport,
} from '@bulkhead/shared/client'
import t, { type Test } from 'tap'

import { httpTransport } from '../../src/api/http-transport.ts'
import {
  type Answers,
  eventStream,
  type FakeServer,
  lineStream,
  startServer,
} from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'

async function withServer(
  t: Test,
  answers: Answers,
  transport: Transport,
  run: (client: ReturnType<typeof createClient>, server: FakeServer) => Promise<void>,
): Promise<void> {
  const server = await startServer(answers)
  const keepAlive = setInterval(() => {}, 1000)
  t.teardown(() => clearInterval(keepAlive))
  try {
    await run(
      createClient({ server: `${server.url}/`, token: 'x', transport, timeoutMs: 300 }),
      server,
    )
  } finally {
    await server.close()
  }
}

async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}

const codeOf = (error: unknown): string =>
  error instanceof BulkheadError ? error.code : String(error)

/** What a watch tells until it was told so much. */
async function watched(client: ReturnType<typeof createClient>, name: ListName, count: number) {
  const stop = new AbortController()
  const told: string[] = []
  for await (const update of client.watch(name, {}, stop.signal)) {
    if (update.kind === 'list') told.push(`list ${update.revision}`)
    else if (update.kind === 'change') told.push(`${update.event.type} ${update.event.revision}`)
    else told.push(`interrupted: ${update.error.code}`)
    if (told.length >= count) return told
  }
  return told
}

const put = (revision: number) => ({ revision, type: 'put', item: make.zone() })
const forever: Answers[string] = { raw: () => {} }
const silent: Answers[string] = {
  raw: (_request, response) =>
    response.writeHead(200, { 'content-type': 'application/json' }).write('{'),
}

for (const [name, transport] of Object.entries({ fetchTransport, httpTransport })) {
  t.test(`requests over ${name}`, async (t) => {
    const answers = {
      'GET /v1/zones': make.list(make.zone()),
      'POST /v1/plan': { json: { ok: true } },
      'DELETE /v1/empty': { raw: (_request, response) => response.writeHead(204).end() },
    } satisfies Answers
    await withServer(t, answers, transport, async (client, server) => {
      t.match(await client.list('zones', { environment: 'a b', none: undefined }), { revision: 7 })
      await client.request('POST', '/v1/plan', { body: { documents: ['é'] } })
      t.equal(await client.request('DELETE', '/v1/empty'), undefined)
      t.match(server.requests, [
        { method: 'GET', url: '/v1/zones?environment=a%20b', token: 'Bearer x', body: undefined },
        { body: { documents: ['é'] } },
        {},
      ])
    })
  })

  t.test(`deadlines and faults over ${name}`, async (t) => {
    const answers = {
      'GET /v1/never': forever,
      'GET /v1/halfway': silent,
      'GET /v1/cut': { raw: (request) => request.socket.destroy() },
      'GET /v1/foreign': { raw: (_request, response) => response.writeHead(404).end('<html>') },
    } satisfies Answers
    await withServer(t, answers, transport, async (client) => {
      const fails = async (path: string, code: string, message: RegExp): Promise<void> => {
        const error: unknown = await client.request('GET', path).catch((thrown: unknown) => thrown)
        t.equal(codeOf(error), code, path)
        t.match((error as Error).message, message)
      }
      await fails('/v1/never', 'unreachable', /^cannot reach http.*: no answer within 0\.3 s$/)
      await fails('/v1/halfway', 'unreachable', /no answer within 0\.3 s$/)
      await fails('/v1/cut', 'unreachable', /: (the connection was closed|other side closed)$/)
      await fails('/v1/foreign', 'not-found', /^GET \/v1\/foreign: answered with status 404$/)
      const stop = new AbortController()
      setTimeout(() => stop.abort(new Error('enough')), 20)
      await t.rejects(client.request('GET', '/v1/never', { signal: stop.signal }), {
        message: 'enough',
      })
    })
    const left = await startServer({})
    await left.close()
    const nowhere = createClient({ server: left.url, token: '', transport })
    await t.rejects(nowhere.list('zones'), {
      code: 'unreachable',
      message: /: connection refused$/,
    })
  })

  t.test(`watches over ${name}`, async (t) => {
    const answers: Answers = {
      'GET /v1/zones': [make.list(), { json: { revision: 90, items: [] } }],
      'GET /v1/zones?watch=7': eventStream([': hello\n\n', put(8), put(8), put(9)], { end: true }),
      // Revision 9 may have been cut off, so that what comes after 8 is asked for.
      'GET /v1/zones?watch=8': eventStream([
        put(9),
        'event: error\ndata: {"code":"revision-gone","detail":"slow"}\n\n',
      ]),
      'GET /v1/zones?watch=90': eventStream([put(91)]),
    }
    await withServer(t, answers, transport, async (client) => {
      const told = await watched(client, 'zones', 7)
      t.strictSame(told, ['list 7', 'put 8', 'put 8', 'put 9', 'put 9', 'list 90', 'put 91'])
    })
  })

  t.test(`a watch that is refused ends over ${name}`, async (t) => {
    const answers: Answers = {
      'GET /v1/zones': make.list(),
      'GET /v1/zones?watch=7': { problem: 'not-authenticated', detail: 'the token was taken back' },
    }
    await withServer(t, answers, transport, async (client) => {
      await t.rejects(watched(client, 'zones', 5), { code: 'not-authenticated' })
      await t.rejects(watched(client, 'nodes', 1), { code: 'not-found' })
    })
  })

  t.test(`a watch over ${name} ends with its signal`, async (t) => {
    const answers: Answers = {
      'GET /v1/zones': make.list(),
      'GET /v1/zones?watch=7': eventStream([]),
    }
    await withServer(t, answers, transport, async (client) => {
      const stop = new AbortController()
      const updates = client.watch('zones', {}, stop.signal)
      await updates.next()
      setTimeout(() => stop.abort(new Error('enough')), 20)
      await t.rejects(updates.next(), { message: 'enough' })
    })
  })

  t.test(`lines and bytes over ${name}`, async (t) => {
    const text = '€'.repeat(20_000)
    const answers: Answers = {
      'GET /v1/lines': lineStream([{ a: 1 }, { text }, { a: 2 }]),
      'POST /v1/backup': { raw: (_request, response) => response.end(Buffer.alloc(200_000, 7)) },
    }
    await withServer(t, answers, transport, async (client) => {
      t.strictSame(await allOf(client.lines('GET', '/v1/lines')), [{ a: 1 }, { text }, { a: 2 }])
      const chunks = await allOf(client.bytes('POST', '/v1/backup', { body: {} }))
      t.equal(Buffer.concat(chunks).length, 200_000)
    })
  })
}
