import { execFileSync } from 'node:child_process'
import { Agent, request } from 'node:https'
import type { TLSSocket } from 'node:tls'

import type { EndpointTable, Policy } from '@bulkhead/shared'
import { t as tap, test } from 'tap'

import { CertificateFiles } from '../../src/proxy/certificates.ts'
import { makeConfig } from '../../src/proxy/core/make-config.ts'
import { type Instance, startInstance } from './support/instance.ts'
import { services, skip, startProxy } from './support/real-proxy.ts'

tap.setTimeout(120_000)

const listen = 18_443
const address = services.replace('.0.0/16', '.9.9')

/** Key and certificate, as `secret set` is given them. */
function makeCertificate(host: string): Buffer {
  const argv = [
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
  ]
  argv.push('-days', '2', '-subj', `/CN=${host}`, '-keyout', '-', '-out', '-')
  return execFileSync('openssl', argv, { stdio: ['ignore', 'pipe', 'ignore'] })
}

const policy: Policy = {
  revision: 1,
  services,
  services6: null,
  zones: { presentation: { edge: true, reaches: ['presentation'], egress: [] } },
  peers: [],
}

function tableOf(name: string, instance: Instance, expose: EndpointTable['expose']): EndpointTable {
  const { address: at, port: hostPort, weight } = instance.server
  const id = instance.server.name
  return {
    service: `prod/${name}`,
    zone: 'presentation',
    revision: 1,
    addressIndex: null,
    ports: { http: { port: 8080, protocol: 'tcp', mode: 'http', clientAddress: 'header' } },
    expose,
    external: false,
    endpoints: [
      {
        instance: id,
        node: 'n',
        zone: 'presentation',
        port: 'http',
        address: at,
        hostPort,
        weight,
      },
    ],
  }
}

interface Answer {
  readonly status: number
  readonly instance: unknown
  readonly seenFor: unknown
  readonly subject: string
  readonly isReused: boolean
}

function ask(host: string, path: string, agent?: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const headers = { host, 'x-forwarded-for': '6.6.6.6' }
    const options = {
      host: address,
      port: listen,
      path,
      servername: host,
      headers,
      rejectUnauthorized: false,
    }
    const asked = request({ ...options, agent: agent ?? false }, (response) => {
      const subject = (response.socket as TLSSocket).getPeerCertificate().subject
      response.resume()
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          instance: response.headers['x-instance'],
          seenFor: response.headers['x-seen-for'],
          subject: String(subject?.CN ?? ''),
          isReused: asked.reusedSocket,
        }),
      )
    })
    asked.on('error', reject)
    asked.end()
  })
}

void test(
  'the edge ends TLS and chooses by host and path',
  { skip, timeout: 60_000 },
  async (t) => {
    await using real = await startProxy()
    const files = new CertificateFiles(real.directory)
    const shopPem = makeCertificate('shop.example')
    await files.set(
      new Map([
        ['prod/shop', shopPem],
        ['prod/wild', makeCertificate('any.example')],
        ['prod/bad', Buffer.from('no')],
      ]),
    )
    const [web, shop, api] = [
      await startInstance('web-0'),
      await startInstance('shop-0'),
      await startInstance('api-0'),
    ]
    const at = { port: 'http', listen, host: null, path: '/', tlsSecret: 'wild' }
    const tables = [
      tableOf('web', web, [at]),
      tableOf('shop', shop, [{ ...at, host: 'shop.example', tlsSecret: 'shop' }]),
      tableOf('api', api, [{ ...at, host: 'shop.example', path: '/api', tlsSecret: 'shop' }]),
      tableOf('bad', api, [{ ...at, host: 'bad.example', tlsSecret: 'bad' }]),
    ]
    const node = { zones: ['presentation'], environments: [], edgeAddresses: [address] }
    const make = (all: readonly EndpointTable[]) =>
      makeConfig(
        { revision: 1, policy, tables: new Map(all.map((one) => [one.service, one])) },
        policy,
        node,
        files.known,
      )
    const { config, problems } = make(tables)
    t.match(problems, [
      /prod\/bad is not exposed on port 18443: the secret bad cannot be used: it has no certificate/,
    ])
    await real.proxy.apply(config)

    for (const [host, path, instance, subject] of [
      ['other.example', '/', 'web-0', 'any.example'],
      ['shop.example', '/', 'shop-0', 'shop.example'],
      ['shop.example', '/apiary', 'shop-0', 'shop.example'],
      ['shop.example', '/api', 'api-0', 'shop.example'],
      ['shop.example', '/api/x?y', 'api-0', 'shop.example'],
      ['bad.example', '/', 'web-0', 'any.example'],
    ] as const) {
      t.match(
        await ask(host, path),
        { status: 200, instance, subject, seenFor: '127.0.0.1' },
        `${host}${path}`,
      )
    }

    await real.proxy.apply(make(tables.slice(1)).config)
    t.match(await ask('other.example', '/'), { status: 404 }, 'nobody is exposed there')
    await real.proxy.apply(config)

    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    await ask('shop.example', '/', agent)
    // Another certificate is another structure: the process is replaced while a connection is idle.
    await files.set(
      new Map([
        ['prod/shop', makeCertificate('shop.example')],
        ['prod/wild', shopPem],
      ]),
    )
    await real.proxy.apply(make(tables).config)
    const relayed = await ask('shop.example', '/', agent)
    t.match(
      relayed,
      { status: 200, instance: 'shop-0', isReused: true, seenFor: '127.0.0.1' },
      'a relayed request is alike',
    )
    agent.destroy()
    t.match(
      await ask('other.example', '/'),
      { subject: 'shop.example' },
      'the new certificate is used',
    )

    const again = new CertificateFiles(real.directory)
    await again.load()
    t.strictSame([...again.known], [...files.known], 'a restarted agent has them')
    for (const instance of [web, shop, api]) instance.kill()
  },
)
