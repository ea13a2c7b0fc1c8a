import { get } from 'node:http'

import t from 'tap'

import { answer } from '../../src/discovery/answer.ts'
import { listenHttp } from '../../src/discovery/listener.ts'

const directory = { tables: new Map(), reaches: {} }
const deps = { directory, findAsker: async () => null }

t.test('over real HTTP', async (t) => {
  const server = await listenHttp('127.0.0.1', 0, (request) => answer(deps, request))
  const url = `http://127.0.0.1:${server.port}`
  const health = await fetch(`${url}/healthz`)
  t.equal(health.status, 200)
  t.same(await health.json(), { status: 'ok' })
  const refused = await fetch(`${url}/v1/discovery/prod/api`)
  t.equal(refused.status, 403)
  t.equal(refused.headers.get('content-type'), 'application/problem+json')
  t.match(await refused.json(), { code: 'not-allowed', detail: /127\.0\.0\.1/ })
  t.equal((await fetch(`${url}/healthz`, { method: 'POST', body: 'x' })).status, 400)
  t.equal((await fetch(`${url}/${'x'.repeat(3000)}`)).status, 413)
  t.equal((await fetch(`${url}/healthz`, { headers: { x: 'y'.repeat(10_000) } })).status, 431)
  const odd = await new Promise<number | undefined>((resolve) => {
    get({ port: server.port, path: '//[' }, (response) => resolve(response.resume().statusCode))
  })
  t.equal(odd, 400)
  await t.rejects(
    listenHttp('127.0.0.1', server.port, (request) => answer(deps, request)),
    {
      code: 'EADDRINUSE',
    },
  )
  await server.close()
})
