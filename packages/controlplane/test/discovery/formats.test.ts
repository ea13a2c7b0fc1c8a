import type { EndpointTable } from '@bulkhead/shared'
import t from 'tap'

import { datagrams, endpoint, http, table } from '../../../shared/test/dns/support.ts'
import { envoyEndpoints } from '../../src/discovery/core/formats/envoy.ts'
import { hostsList } from '../../src/discovery/core/formats/hosts.ts'
import { offersOf } from '../../src/discovery/core/formats/offered.ts'
import { prometheusTargets } from '../../src/discovery/core/formats/prometheus.ts'
import { traefikConfiguration } from '../../src/discovery/core/formats/traefik.ts'

const pg = { ...http, mode: 'tcp', clientAddress: 'none' } as const
const exposure = {
  port: 'http',
  listen: 443,
  host: 'shop.example.gov',
  path: '/',
  tlsSecret: 'shop',
}
const tables: readonly EndpointTable[] = [
  table('prod/api', {
    expose: [exposure, { ...exposure, host: null, path: '/api', tlsSecret: null }],
    endpoints: [
      endpoint(0),
      endpoint(1, { address: 'fd00::2' }),
      endpoint(2, { weight: 0 }),
      endpoint(0, { port: 'old', hostPort: 30_000 }),
    ],
  }),
  table('prod/db', {
    zone: 'data',
    ports: { pg },
    endpoints: [endpoint(5, { instance: 'db-0-x', zone: 'data', port: 'pg' })],
  }),
  table('prod/idle', { endpoints: [], expose: [exposure] }),
  table('test/clock', {
    ports: { time: datagrams },
    endpoints: [endpoint(6, { instance: 'clock-0-x', port: 'time' })],
  }),
]
const all = offersOf(tables, {})

t.test('what is wanted', async (t) => {
  const names = (wanted: Parameters<typeof offersOf>[1]) =>
    offersOf(tables, wanted).map(
      ({ environment, service, port }) => `${environment}/${service}/${port}`,
    )
  t.same(names({}), [
    'prod/api/http',
    'prod/api/old',
    'prod/db/pg',
    'prod/idle/http',
    'test/clock/time',
  ])
  t.same(names({ environment: 'prod', port: 'http' }), ['prod/api/http', 'prod/idle/http'])
  t.same(names({ zone: 'data' }), ['prod/db/pg'])
  t.same(names({ service: 'clock' }), ['test/clock/time'])
  t.same(names({ service: 'clock', environment: 'prod' }), [])
})

t.test('Prometheus', async (t) => {
  const labels = { environment: 'prod', service: 'api', zone: 'application', port: 'http' }
  t.same(prometheusTargets(all).slice(0, 3), [
    { targets: ['10.99.0.1:20000'], labels: { ...labels, instance: 'api-0-abcdefgh', node: 'n0' } },
    { targets: ['[fd00::2]:20001'], labels: { ...labels, instance: 'api-1-abcdefgh', node: 'n1' } },
    {
      targets: ['10.99.0.1:30000'],
      labels: { ...labels, port: 'old', instance: 'api-0-abcdefgh', node: 'n0' },
    },
  ])
  t.equal(prometheusTargets(all).length, 4, 'nothing is scraped over UDP')
})

t.test('Traefik', async (t) => {
  t.same(traefikConfiguration(all, tables), {
    http: {
      services: {
        prod_api_http: {
          loadBalancer: {
            servers: [{ url: 'http://10.99.0.1:20000' }, { url: 'http://[fd00::2]:20001' }],
          },
        },
      },
      routers: {
        prod_api_http_0: { rule: 'Host(`shop.example.gov`)', service: 'prod_api_http', tls: {} },
        prod_api_http_1: { rule: 'PathPrefix(`/api`)', service: 'prod_api_http' },
      },
    },
    tcp: {
      services: {
        prod_api_old: { loadBalancer: { servers: [{ address: '10.99.0.1:30000' }] } },
        prod_db_pg: { loadBalancer: { servers: [{ address: '10.99.0.6:20005' }] } },
      },
    },
    udp: {
      services: {
        test_clock_time: { loadBalancer: { servers: [{ address: '10.99.0.7:20006' }] } },
      },
    },
  })
  const uneven = [
    table('prod/api', { endpoints: [endpoint(0, { weight: 5 }), endpoint(1, { weight: 95 })] }),
  ]
  t.match(traefikConfiguration(offersOf(uneven, {}), uneven), {
    http: {
      services: { prod_api_http: { loadBalancer: { servers: [{ weight: 5 }, { weight: 95 }] } } },
    },
  })
  t.same(traefikConfiguration([], []), {}, 'no part is there and empty')
})

t.test('Envoy', async (t) => {
  const type = 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment'
  const at = (address: string, port_value: number, load_balancing_weight = 100) => ({
    endpoint: { address: { socket_address: { protocol: 'TCP', address, port_value } } },
    health_status: 'HEALTHY',
    load_balancing_weight,
  })
  const answer = envoyEndpoints(all, ['prod/db/pg', 'prod/none/x', 'prod/db/pg'])
  t.same(answer, {
    version_info: answer.version_info,
    type_url: type,
    resources: [
      {
        '@type': type,
        cluster_name: 'prod/db/pg',
        endpoints: [{ lb_endpoints: [at('10.99.0.6', 20005)] }],
      },
      { '@type': type, cluster_name: 'prod/none/x', endpoints: [] },
    ],
  })
  t.equal(envoyEndpoints(all, []).resources.length, 5)
  t.equal(envoyEndpoints(all, ['prod/db/pg', 'prod/none/x']).version_info, answer.version_info)
  t.not(envoyEndpoints(all, ['prod/db/pg']).version_info, answer.version_info)
})

t.test('hosts', async (t) => {
  t.same(hostsList(all).split('\n'), [
    '10.99.0.1\tapi-0-abcdefgh.api.prod.bulkhead api.prod.bulkhead\t# http=20000 old=30000',
    'fd00::2\tapi-1-abcdefgh.api.prod.bulkhead api.prod.bulkhead\t# http=20001',
    '10.99.0.6\tdb-0-x.db.prod.bulkhead db.prod.bulkhead\t# pg=20005',
    '10.99.0.7\tclock-0-x.clock.test.bulkhead clock.test.bulkhead\t# time=20006',
    '',
  ])
})
