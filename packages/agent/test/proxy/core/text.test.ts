import { test } from 'tap'

import type { Frontend, ProxyConfig } from '../../../src/proxy/core/config.ts'
import { configText, structureOf } from '../../../src/proxy/core/text.ts'

const settings = { account: null, threads: 2 }
const frontend: Frontend = {
  name: 'edge.443',
  mode: 'http',
  address: '10.0.0.9',
  port: 443,
  isEdge: true,
  tls: [{ secret: 'prod/cert', digest: 'd1', hosts: [] }],
  routes: [
    { host: 'shop.example', path: "/it's/", backend: 'prod.shop.http' },
    { host: null, path: '/', backend: 'prod.web.http' },
  ],
  backend: null,
}
const server = { name: 'a', address: 'fd00::1', port: 80, weight: 5 }
const config: ProxyConfig = {
  services: '10.231.0.0/16',
  services6: null,
  frontends: [frontend],
  backends: [{ name: 'prod.web.http', mode: 'http', clientAddress: 'proxy', servers: [server] }],
}

void test('routes, TLS and servers as HAProxy reads them', (t) => {
  const text = configText(config, settings)
  for (const line of [
    'bind 10.0.0.9:443 ssl crt-list edge.443.crt-list alpn h2,http/1.1',
    'http-request del-header X-Forwarded-For',
    String.raw`use_backend prod.shop.http if { req.hdr(host),field(1,:),lower -m str shop.example } { path -m str '/it'\''s' } or { req.hdr(host),field(1,:),lower -m str shop.example } { path -m beg '/it'\''s/' }`,
    'use_backend prod.web.http',
    'server a [fd00::1]:80 weight 5 send-proxy-v2 pool-purge-delay 200ms',
    'use_backend relay4.tls if { stopping }',
  ]) {
    t.ok(text.includes(`\n  ${line}\n`), line)
  }
  t.end()
})

void test('the structure is what a running process cannot be told', (t) => {
  const structure = structureOf(config, settings)
  const withServers = (servers: (typeof server)[]): ProxyConfig => ({
    ...config,
    backends: config.backends.map((backend) => ({ ...backend, servers })),
  })
  t.equal(structureOf(withServers([]), settings), structure)
  t.ok(configText(config, settings).includes(`node ${structure}\n`))
  const others: ProxyConfig[] = [
    { ...config, frontends: [] },
    { ...config, backends: [] },
    {
      ...config,
      frontends: [{ ...frontend, tls: [{ secret: 'prod/cert', digest: 'd2', hosts: [] }] }],
    },
    { ...config, frontends: [{ ...frontend, routes: [] }] },
  ]
  for (const other of others) t.not(structureOf(other, settings), structure)
  t.end()
})
