import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { test } from 'tap'

import { resolveImage } from '../../src/admission/images.ts'
import type { RegistryLogin } from '../../src/admission/registry-client.ts'
import { makeConfig } from '../../src/config/config.ts'

const digest = `sha256:${'a'.repeat(64)}`

type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** A registry that speaks just enough of the protocol, on the loopback interface. */
async function registry(handler: Handler) {
  const server = createServer(handler)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

const login = (host: string, more: Partial<RegistryLogin> = {}): RegistryLogin => ({
  host,
  insecure: true,
  username: null,
  password: null,
  ...more,
})
const imagesOf = (hosts: readonly string[], local: 'deny' | 'allow' = 'deny') =>
  makeConfig({ images: { registries: hosts.map((host) => ({ host })), local } }, {}).images

const serveDigest: Handler = (_request, response) => {
  response.setHeader('docker-content-digest', digest).end()
}

test('images', async (t) => {
  t.test('a tag is pinned to its digest', async (t) => {
    const asked: string[] = []
    await using server = await registry((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      serveDigest(request, response)
    })
    const { image, warnings } = await resolveImage(`${server.host}/shop/web:1.4`, imagesOf([server.host]), [login(server.host)])
    t.same(image, {
      name: `${server.host}/shop/web:1.4`,
      reference: `${server.host}/shop/web@${digest}`,
      digest,
      local: false,
    })
    t.same(warnings, [])
    t.same(asked, ['HEAD /v2/shop/web/manifests/1.4'])
  })

  t.test('a digest is looked up too, and stays as it was written', async (t) => {
    const asked: string[] = []
    await using server = await registry((request, response) => {
      asked.push(`${request.method} ${request.url}`)
      serveDigest(request, response)
    })
    const name = `${server.host}/web@${digest}`
    const { image } = await resolveImage(name, imagesOf([server.host]), [login(server.host)])
    t.equal(image.reference, name)
    t.same(asked, [`HEAD /v2/web/manifests/${digest}`])
  })

  t.test('a digest that the registry does not have is refused', async (t) => {
    await using server = await registry((_request, response) => response.writeHead(404).end())
    const name = `${server.host}/web@${digest}`
    const resolved = resolveImage(name, imagesOf([server.host]), [login(server.host)])
    await t.rejects(resolved, { code: 'image-unresolved', message: /image .*web@sha256:a+ .*the registry has no such image/ })
  })

  t.test('a registry that answers with another digest than was asked for is not believed', async (t) => {
    await using server = await registry(serveDigest)
    const name = `${server.host}/web@sha256:${'b'.repeat(64)}`
    const resolved = resolveImage(name, imagesOf([server.host]), [login(server.host)])
    await t.rejects(resolved, { code: 'image-unresolved', message: /answered with digest sha256:a+/ })
  })

  t.test('registries that are not on the list are refused, whatever the form of the name', async (t) => {
    const logins = [login('registry.internal:5000')]
    const images = imagesOf(['registry.internal:5000'])
    const names = [
      'nginx',
      'nginx:latest',
      'library/nginx',
      'docker.io/nginx',
      'index.docker.io/library/nginx',
      'registry.internal/web',
      'registry.internal:5001/web',
      'registry.internal:5000.evil.example/web',
      'evil.example/registry.internal:5000/web',
      `evil.example/web@${digest}`,
      'registry.internal:5000@evil.example/web',
      '../registry.internal:5000/web',
      '',
    ]
    for (const name of names) {
      await t.rejects(resolveImage(name, images, logins), { code: 'image-refused' }, JSON.stringify(name))
    }
  })

  t.test('local images only where they are allowed, and loudly', async (t) => {
    const { image, warnings } = await resolveImage('demo/web:1', imagesOf([], 'allow'), [])
    t.match(image, { reference: 'demo/web:1', local: true })
    t.match(warnings, [/without a registry and without a digest/])
    for (const name of ['docker.io/library/nginx', 'localhost/web:1', 'r:5000/web']) {
      await t.rejects(resolveImage(name, imagesOf([], 'allow'), []), { code: 'image-refused' }, name)
    }
  })

  t.test('basic authentication', async (t) => {
    const expected = `Basic ${Buffer.from('u:p').toString('base64')}`
    await using server = await registry((request, response) => {
      if (request.headers.authorization === expected) serveDigest(request, response)
      else response.writeHead(401, { 'www-authenticate': 'Basic realm="r"' }).end()
    })
    const images = imagesOf([server.host])
    const name = `${server.host}/web:1`
    const good = login(server.host, { username: 'u', password: 'p' })
    t.equal((await resolveImage(name, images, [good])).image.digest, digest)
    const wrong = login(server.host, { username: 'u', password: 'x' })
    await t.rejects(resolveImage(name, images, [wrong]), { code: 'image-unresolved', message: /denied access/ })
  })

  t.test('token authentication', async (t) => {
    await using server = await registry((request, response) => {
      const { host } = request.headers
      if (request.url?.startsWith('/token')) {
        t.match(request.url, /service=registry/)
        t.match(request.url, /scope=repository%3Aweb%3Apull/)
        response.end(JSON.stringify({ token: 'secret' }))
      } else if (request.headers.authorization === 'Bearer secret') serveDigest(request, response)
      else {
        const challenge = `Bearer realm="http://${host}/token",service="registry"`
        response.writeHead(401, { 'www-authenticate': challenge }).end()
      }
    })
    const { image } = await resolveImage(`${server.host}/web:1`, imagesOf([server.host]), [login(server.host)])
    t.equal(image.digest, digest)
  })

  const failures: [string, Handler, RegExp][] = [
    ['absent', (_request, response) => response.writeHead(404).end(), /no such image or tag/],
    ['broken', (_request, response) => response.writeHead(500).end(), /answered 500 without a digest/],
    ['no digest', (_request, response) => response.end(), /without a digest/],
    ['redirects', (_request, response) => response.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(), /does not answer/],
  ]
  for (const [what, handler, message] of failures) {
    t.test(`a registry answers: ${what}`, async (t) => {
      await using server = await registry(handler)
      const resolved = resolveImage(`${server.host}/web:1`, imagesOf([server.host]), [login(server.host)])
      await t.rejects(resolved, { code: 'image-unresolved', message })
    })
  }
  t.test('a registry that is not there', async (t) => {
    const host = '127.0.0.1:1'
    const resolved = resolveImage(`${host}/web:1`, imagesOf([host]), [login(host)])
    await t.rejects(resolved, { code: 'image-unresolved', message: /does not answer/ })
  })
})
