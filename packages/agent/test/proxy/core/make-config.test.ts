import type { EndpointTable, Policy } from '@bulkhead/shared'
import { test } from 'tap'

import { makeConfig, type ProxyNode } from '../../../src/proxy/core/make-config.ts'

const policy: Policy = {
  revision: 1,
  services: '10.231.0.0/16',
  services6: 'fd62:756c:6b00::/96',
  zones: {
    presentation: { edge: true, reaches: ['application', 'presentation'], egress: [] },
    application: { edge: false, reaches: ['application', 'data'], egress: [] },
    data: { edge: false, reaches: ['data'], egress: [] },
  },
  peers: [],
}

const endpoint = {
  instance: 'api-0-a',
  node: 'n',
  zone: 'application',
  port: 'http',
  address: '10.0.0.1',
  hostPort: 20_000,
  weight: 100,
}

const table = (
  service: string,
  zone: string,
  more: Partial<EndpointTable> = {},
): EndpointTable => ({
  service,
  zone,
  revision: 1,
  addressIndex: 258,
  ports: { http: { port: 8080, protocol: 'tcp', mode: 'http', clientAddress: 'header' } },
  expose: [],
  external: false,
  endpoints: [],
  ...more,
})

const node: ProxyNode = {
  zones: ['presentation'],
  environments: ['prod'],
  edgeAddresses: ['10.0.0.9'],
}
type Certificates = Parameters<typeof makeConfig>[3]

const make = (
  tables: readonly EndpointTable[],
  of = node,
  certificates: Certificates = new Map(),
) =>
  makeConfig(
    { revision: 1, policy, tables: new Map(tables.map((one) => [one.service, one])) },
    policy,
    of,
    certificates,
  )

void test('each TCP port of a service has a frontend at its addresses', (t) => {
  const { config, problems } = make([
    table('prod/api', 'application', {
      ports: {
        http: { port: 8080, protocol: 'tcp', mode: 'http', clientAddress: 'header' },
        dns: { port: 53, protocol: 'udp', mode: 'tcp', clientAddress: 'none' },
      },
      endpoints: [endpoint],
    }),
  ])
  t.strictSame(problems, [])
  t.strictSame(
    config.frontends.map(({ name, address, port, backend }) => ({ name, address, port, backend })),
    [
      { name: 'prod.api.http', address: '10.231.1.2', port: 8080, backend: 'prod.api.http' },
      {
        name: 'prod.api.http.6',
        address: 'fd62:756c:6b00::ae7:102',
        port: 8080,
        backend: 'prod.api.http',
      },
    ],
  )
  t.strictSame(config.backends, [
    {
      name: 'prod.api.http',
      mode: 'http',
      clientAddress: 'header',
      servers: [{ name: 'api-0-a', address: '10.0.0.1', port: 20_000, weight: 100 }],
    },
  ])
  t.end()
})

void test('only what zones and environments of the node may reach is there', (t) => {
  const tables = [
    table('prod/api', 'application'),
    table('prod/db', 'data'),
    table('test/api', 'application'),
    table('prod/web', 'presentation'),
  ]
  const names = (of: ProxyNode) => make(tables, of).config.backends.map(({ name }) => name)
  t.strictSame(names(node), ['prod.api.http', 'prod.web.http'])
  t.strictSame(names({ ...node, environments: [] }), [
    'prod.api.http',
    'prod.web.http',
    'test.api.http',
  ])
  t.strictSame(names({ ...node, zones: ['data'] }), ['prod.db.http'])
  t.strictSame(names({ ...node, zones: ['nowhere'] }), [])
  t.end()
})

void test('the order of tables and endpoints changes nothing', (t) => {
  const first = table('prod/a', 'application', {
    endpoints: [endpoint, { ...endpoint, instance: 'api-1-b' }],
  })
  const second = table('prod/b', 'application')
  const turned = { ...first, endpoints: first.endpoints.toReversed() }
  t.strictSame(make([first, second]), make([second, turned]))
  t.end()
})

void test('a service without an address has a backend only, a host name as an endpoint is said', (t) => {
  const { config, problems } = make([
    table('prod/api', 'application', {
      addressIndex: null,
      endpoints: [{ ...endpoint, address: 'db.example' }],
    }),
  ])
  t.strictSame(config.frontends, [])
  t.match(config.backends, [{ servers: [] }])
  t.match(problems, [/prod\/api: db\.example is no IP address/])
  t.end()
})

const exposure = { port: 'http', listen: 443, host: null, path: '/', tlsSecret: null }

void test('exposed services share a port of the edge by host and path', (t) => {
  const { config, problems } = make([
    table('prod/web', 'presentation', { expose: [exposure, { ...exposure, path: '/static' }] }),
    table('prod/shop', 'presentation', { expose: [{ ...exposure, host: 'shop.example' }] }),
    table('prod/api', 'application', { expose: [exposure] }),
  ])
  t.strictSame(problems, [])
  const [edge, ...others] = config.frontends.filter(({ isEdge }) => isEdge)
  t.strictSame(others, [])
  t.match(edge, { address: '10.0.0.9', port: 443, backend: null, mode: 'http', tls: null })
  t.strictSame(edge?.routes, [
    { host: 'shop.example', path: '/', backend: 'prod.shop.http' },
    { host: null, path: '/static', backend: 'prod.web.http' },
    { host: null, path: '/', backend: 'prod.web.http' },
  ])
  t.strictSame(
    make([table('prod/web', 'presentation', { expose: [exposure] })], {
      ...node,
      zones: ['application'],
    }).config.frontends.filter(({ isEdge }) => isEdge),
    [],
  )
  t.end()
})

void test('what contradicts an exposure before it is left out, and said', (t) => {
  const tls = { ...exposure, tlsSecret: 'cert' }
  const known: Certificates = new Map([
    ['prod/cert', { digest: 'd' }],
    ['prod/broken', { problem: 'no key' }],
  ])
  const a = table('prod/a', 'presentation', { expose: [exposure] })
  const tcp = table('prod/t', 'presentation', {
    ports: { http: { port: 1, protocol: 'tcp', mode: 'tcp', clientAddress: 'none' } },
    expose: [exposure],
  })
  for (const [other, why] of [
    [
      table('prod/b', 'presentation', { expose: [exposure] }),
      /prod\/b is not exposed on port 443: prod\/a is there for the same host and path/,
    ],
    [table('prod/b', 'presentation', { expose: [tls] }), /prod\/a is there without TLS/],
    [tcp, /a port in mode tcp has one service/],
    [
      table('prod/b', 'presentation', { expose: [{ ...tls, tlsSecret: 'missing', listen: 444 }] }),
      /there is no secret missing: bulkhead secret set missing -e prod/,
    ],
    [
      table('prod/b', 'presentation', { expose: [{ ...tls, tlsSecret: 'broken', listen: 444 }] }),
      /the secret broken cannot be used: no key/,
    ],
  ] as const) {
    const { config, problems } = make([a, other], node, known)
    t.match(problems, [why])
    t.equal(config.frontends.filter(({ isEdge }) => isEdge).length, 1)
  }
  const { config } = make(
    [table('prod/b', 'presentation', { expose: [{ ...tls, host: 'b.example' }] })],
    node,
    known,
  )
  t.match(
    config.frontends.find(({ isEdge }) => isEdge),
    { tls: [{ secret: 'prod/cert', digest: 'd', hosts: ['b.example'] }] },
  )
  t.end()
})
