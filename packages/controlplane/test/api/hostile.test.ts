import { connect } from 'node:net'

import { test } from 'tap'

import { document, serve, type Served } from './serve.ts'

const hostile: readonly [string, string][] = [
  ['NUL', '%00'],
  ['NUL inside', 'web%00x'],
  ['up', '..%2F..%2Fetc%2Fpasswd'],
  ['up, not encoded', '../../etc/passwd'],
  ['a slash', '%2F'],
  ['a backslash', '..%5C..%5Cx'],
  ['10 kB', 'a'.repeat(10_000)],
  ['300 of three bytes', '%E2%82%AC'.repeat(300)],
  ['unicode', '%F0%9F%9A%A2%CC%81'],
  ['right to left', '%E2%80%AEbew'],
  ['half a character', '%E0%A4%A'],
  ['not UTF-8', '%FF%FE'],
  ['a lone surrogate', '%ED%A0%80'],
  ['a prototype', '__proto__'],
  ['what every object has', 'constructor'],
  ['toString', 'toString'],
  ['SQL', "x'%3B%20DROP%20TABLE%20records%3B--"],
  ['markup', '%3Cscript%3Ealert(1)%3C%2Fscript%3E'],
  ['line breaks', 'a%0D%0AX-Injected:%201'],
  ['a semicolon', 'a;b=c'],
  ['a query', 'x%3Fwatch=1'],
  ['spaces', '%20'],
  ['a template', '%24%7B7*7%7D'],
  ['a huge number', '9'.repeat(200)],
]

const bodies: Readonly<Record<string, object>> = {
  '/v1/services/{environment}/{name}/scale': { replicas: 1 },
  '/v1/instances/{id}/exec': { command: ['x'] },
}

async function operations(served: Served): Promise<[string, string][]> {
  const { body } = await served.call('GET', '/v1/openapi.json')
  const { paths } = body as { paths: Record<string, object> }
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method): [string, string] => [method.toUpperCase(), path]),
  )
}

test('hostile path parameters get a 4xx with problem details on every route', async (t) => {
  await using served = await serve()
  await served.call('POST', '/v1/apply', { documents: [document()], allowPending: true })
  const { revision } = served.state.view
  let asked = 0
  for (const [method, path] of await operations(served)) {
    const names = [...path.matchAll(/\{([^}]+)\}/g)].map(([whole]) => whole)
    for (const name of names) {
      for (const [what, value] of hostile) {
        const url = names.reduce(
          (text, one) => text.replace(one, one === name ? value : 'default'),
          path,
        )
        const answer = await served.app.inject({
          method: method as 'GET',
          url,
          headers: { authorization: `Bearer ${served.admin}` },
          ...(method === 'POST' ? { payload: bodies[path] ?? {} } : {}),
        })
        const where = `${method} ${path} with ${what} as ${name}`
        asked += 1
        const { statusCode, headers } = answer
        if (
          statusCode >= 400 &&
          statusCode < 500 &&
          /problem\+json/.test(String(headers['content-type']))
        ) {
          const { code, detail } = answer.json<{ code: string; detail: string }>()
          if (typeof code === 'string' && detail.length < 400 && !/[\p{Cc}\p{Cf}]/u.test(detail))
            continue
          t.fail(`${where}: ${code} ${detail.slice(0, 300)}`)
        } else t.fail(`${where}: ${statusCode} ${answer.body.slice(0, 200)}`)
      }
    }
  }
  t.ok(asked > 400, `${asked} requests`)
  t.equal(served.state.view.services.get('default/web')?.revision, 1, 'nothing was changed')
  t.ok(served.state.view.revision - revision < 5)
})

/** What comes back for the bytes as they stand. */
function raw(served: Served, request: string): Promise<string> {
  const { hostname, port } = new URL(served.url)
  const { promise, resolve } = Promise.withResolvers<string>()
  const socket = connect(Number(port), hostname, () => socket.write(request, 'latin1'))
  let text = ''
  socket.on('data', (data) => {
    text += data.toString()
  })
  socket.on('close', () => resolve(text))
  socket.on('error', () => resolve(text === '' ? 'reset' : text))
  socket.setTimeout(5000, () => socket.destroy())
  return promise
}

test('bytes that are no good request are refused by the server itself', async (t) => {
  await using served = await serve()
  const end = `\r\nHost: x\r\nAuthorization: Bearer ${served.admin}\r\nConnection: close\r\n\r\n`
  const cases: [string, string][] = [
    ['a NUL', `GET /v1/services/default/a\0b HTTP/1.1${end}`],
    ['bytes beyond ASCII', `GET /v1/services/default/\xff HTTP/1.1${end}`],
    ['dots', `GET /v1/services/default/%2e%2e HTTP/1.1${end}`],
    ['dots, not encoded', `GET /v1/services/default/.. HTTP/1.1${end}`],
    ['a long path', `GET /v1/services/default/${'a'.repeat(60_000)} HTTP/1.1${end}`],
    ['no path', `GET HTTP/1.1${end}`],
    ['a whole URL', `GET http://evil.example/v1/services/default/x HTTP/1.1${end}`],
    ['many headers', `GET /v1/services HTTP/1.1\r\n${'x: y\r\n'.repeat(20_000)}${end}`],
    [
      'a body of two lengths',
      `POST /v1/apply HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2${end}{}`,
    ],
  ]
  for (const [what, request] of cases) {
    const answer = await raw(served, request)
    // What is still being sent when the answer has been given meets a closed connection.
    if (answer === 'reset') continue
    t.match(answer, /^HTTP\/1\.1 4[0-9][0-9] [^]*problem\+json/, what)
  }
  t.equal((await served.call('GET', '/healthz')).status, 200, 'and it lives')
})
