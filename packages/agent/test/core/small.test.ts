import { serviceKey, type EndpointTable } from '@bulkhead/shared'
import t from 'tap'

import { exponential, isOver, jittered } from '../../src/core/backoff.ts'
import { makeSpec, unsupported } from '../../src/core/make-spec.ts'
import { networkName } from '../../src/core/network-name.ts'
import { ownership } from '../../src/core/ownership.ts'
import { resolveFor } from '../../src/core/resolve.ts'
import { type RefusalKind, settle } from '../../src/core/settle.ts'
import { aTable } from '../support/endpoints.ts'
import { template } from '../support/templates.ts'
import { lineage, nowMs } from '../support/views.ts'

t.test('back-off', async (t) => {
  t.same(
    [0, 1, 2, 3, 7, 99].map((n) => exponential(n, 100, 5000)),
    [0, 100, 200, 400, 5000, 5000],
  )
  t.same([jittered(100, 0), jittered(100, 0.5)], [50, 75])
  t.same([isOver(0, 10, 9), isOver(0, 10, 10), isOver(5000, 10, 0)], [false, true, true])
})

t.test('networks', async (t) => {
  t.equal(networkName('prod', 'data'), 'bulkhead-prod-data')
  t.not(networkName('a-b', 'c'), networkName('a', 'b-c'), 'no two pairs share one')
  const long = networkName('e'.repeat(50), 'z'.repeat(50))
  t.ok(long.length <= 63)
  t.not(long, networkName('e'.repeat(50), 'z'.repeat(49)))
})

t.test('who may see whom', async (t) => {
  const table = (name: string, zone: string): [string, EndpointTable] => {
    const service = serviceKey('prod', name)
    const endpoint = {
      instance: `${name}-0-x`,
      node: 'n',
      zone,
      address: '10.0.0.1',
      hostPort: 25000,
      weight: 100,
    }
    const endpoints = [
      { ...endpoint, port: 'http' },
      { ...endpoint, port: 'admin', hostPort: 25001 },
    ]
    return [service, aTable(service, zone, 9, endpoints)]
  }
  const tables = new Map([
    table('web', 'presentation'),
    table('api', 'application'),
    table('db', 'data'),
  ])
  const reaches = { presentation: ['application'], application: ['data'], data: [] }
  const ask = (zone: string, service: string, port: string | null = null, environment = 'prod') =>
    resolveFor({ environment: 'prod', zone }, { tables, reaches }, { environment, service, port })
  t.match(ask('presentation', 'api'), {
    kind: 'found',
    view: {
      service: 'api',
      environment: 'prod',
      revision: 9,
      endpoints: [{ port: 'http' }, { port: 'admin' }],
    },
  })
  t.match(ask('application', 'db', 'http'), { view: { endpoints: [{ port: 'http' }] } })
  t.same(ask('application', 'db', 'none'), {
    kind: 'found',
    view: { service: 'db', environment: 'prod', revision: 9, endpoints: [] },
  })
  t.match(ask('application', 'api'), { kind: 'found' }, 'its own zone')
  t.match(ask('presentation', 'db'), { kind: 'unknown' })
  t.match(ask('data', 'api'), { kind: 'unknown' })
  t.match(ask('application', 'nobody'), { kind: 'unknown' })
  t.match(ask('elsewhere', 'api'), { kind: 'unknown' }, 'a zone without rules reaches nothing')
  t.match(ask('application', 'db', null, 'test'), { kind: 'refused' })
  const text = (service: string) =>
    JSON.stringify(ask('presentation', service)).replaceAll(service, '')
  t.equal(text('db'), text('nobody'), 'what may not be reached looks like what does not exist')
})

t.test('the container of an instance', async (t) => {
  const ports = {
    http: { port: 8080, protocol: 'tcp', host: null },
    'side-door': { port: 53, protocol: 'udp', host: null },
  } as const
  const env = { MODE: 'x', BULKHEAD_ZONE: 'mine' }
  const from = lineage({ hostPorts: { http: 25001 }, template: template({ ports, env }) })
  const spec = makeSpec(from, from.current, {
    identity: { cluster: 'c', node: 'n' },
    address: '10.0.0.1',
    network: 'bulkhead-default-application',
    discovery: 'http://172.20.0.1:7071',
    nameServer: '172.20.0.1',
    addresses: { ipv4: '172.20.128.7', ipv6: null },
  })
  t.equal(spec.labels['bulkhead.addresses'], '172.20.128.7')
  t.same(spec.ports, [
    { containerPort: 8080, protocol: 'tcp', address: '10.0.0.1', hostPort: 25001 },
  ])
  t.same(spec.resolver, {
    servers: ['172.20.0.1'],
    search: ['default.bulkhead', 'bulkhead'],
    options: ['ndots:2', 'timeout:2', 'attempts:4'],
  })
  t.match(spec.env, {
    MODE: 'x',
    BULKHEAD_ZONE: 'mine',
    BULKHEAD_DISCOVERY: 'http://172.20.0.1:7071',
    BULKHEAD_ENVIRONMENT: 'default',
    BULKHEAD_SERVICE: 'web',
    BULKHEAD_INSTANCE: 'web-0-aaaaaaaa',
    BULKHEAD_SLOT: '0',
    BULKHEAD_NODE: 'n',
    BULKHEAD_PORT_HTTP: '8080',
    BULKHEAD_HOST_PORT_HTTP: '25001',
    BULKHEAD_PORT_SIDE_DOOR: '53',
  })
  t.match(spec.labels, {
    [ownership.cluster]: 'c',
    [ownership.node]: 'n',
    [ownership.service]: 'default/web',
    [ownership.instance]: 'web-0-aaaaaaaa',
    [ownership.ports]: '{"http":25001}',
  })
})

t.test('what this agent cannot provide is said before anything is made', async (t) => {
  const mount = [{ name: 'x', path: '/x' }]
  t.equal(unsupported(lineage()), '')
  t.match(unsupported(lineage({ template: template({ secrets: mount }) })), /secrets/)
  t.match(unsupported(lineage({ template: template({ volumes: mount }) })), /volumes/)
  t.match(unsupported(lineage({ template: template({ env: { A: { secret: 's' } } }) })), /secret/)
})

t.test('refusals', async (t) => {
  const id = 'web-0-aaaaaaaa'
  const no = (kind: RefusalKind) => ({ ok: false, kind, message: 'no' }) as const
  const start = { kind: 'start', instance: id, containerId: 'c' } as const
  const before = lineage({}, { state: 'starting' })
  t.equal(
    settle(before, start, no('unreachable'), nowMs).current,
    before.current,
    'nothing is known',
  )
  t.match(settle(before, start, no('refused'), nowMs).current.observed, {
    state: 'failed',
    neverStarted: true,
    reason: 'its container could not be started: no',
  })
  t.match(
    settle(before, { kind: 'create', instance: id }, no('no-space'), nowMs).current.observed,
    {
      reason: 'its container could not be created: no',
    },
  )
  t.match(
    settle(before, { kind: 'pull', instance: id }, no('pull-failed'), nowMs).current.observed,
    {
      reason: 'the image bb:1 could not be pulled: no',
    },
  )
  let repeated = before
  const delays: number[] = []
  while (repeated.current.observed.state === 'starting') {
    repeated = settle(repeated, start, no('port-taken'), nowMs)
    if (repeated.current.observed.state === 'starting')
      delays.push(repeated.current.retryAtMs - nowMs)
  }
  t.same(delays, [50, 100, 200, 400, 800], 'a port may become free')
  const kill = { kind: 'kill', instance: id, containerId: 'c' } as const
  t.match(settle(before, kill, no('refused'), nowMs).current, {
    tries: 1,
    observed: { state: 'starting' },
  })
  t.equal(
    settle(before, { ...kill, instance: 'other' }, { ok: true }, nowMs),
    before,
    'of a link that has gone',
  )
})
