import t from 'tap'

import { ServedShop } from './support.ts'

t.setTimeout(60_000)

t.test('discovery for programs that people run, over the API', async (t) => {
  await using shop = await ServedShop.open()
  const discovery = await shop.token('discovery')
  const metrics = await shop.token('metrics')
  const get = async (path: string, token: string) => {
    const answer = await shop.call('GET', path, undefined, token)
    return {
      status: answer.status,
      type: answer.headers.get('content-type'),
      text: await answer.text(),
    }
  }
  const { metricsPort: port } = shop

  await t.test('who may read it', async (t) => {
    const allowed: readonly (readonly [string, readonly number[]])[] = [
      ['/v1/sd/prometheus', [200, 200]],
      ['/v1/sd/traefik', [200, 403]],
      ['/v1/sd/hosts', [200, 403]],
      ['/v1/discovery/default/shop', [200, 403]],
      ['/v1/endpoints', [200, 403]],
      ['/metrics', [403, 200]],
      ['/v1/services', [403, 403]],
    ]
    for (const [path, [ofDiscovery, ofMetrics]] of allowed) {
      t.equal((await get(path, discovery)).status, ofDiscovery, `discovery ${path}`)
      t.equal((await get(path, metrics)).status, ofMetrics, `metrics ${path}`)
      t.equal((await get(path, 'bh-x-1-y')).status, 401, path)
    }
  })

  await t.test('Prometheus', async (t) => {
    const { type, text } = await get('/v1/sd/prometheus?service=shop', metrics)
    t.match(type, /^application\/json/)
    const groups = JSON.parse(text) as { targets: string[]; labels: object }[]
    t.same(groups.flatMap(({ targets }) => targets).toSorted(), [
      `127.0.0.1:${port}`,
      `127.0.0.2:${port}`,
    ])
    t.equal((await get('/v1/sd/prometheus?service=none', metrics)).text, '[]')
    t.equal((await get('/v1/sd/prometheus?color=red', metrics)).status, 400)
  })

  await t.test('Traefik', async (t) => {
    const { text } = await get('/v1/sd/traefik?environment=default', discovery)
    const servers = [{ address: `127.0.0.1:${port}` }, { address: `127.0.0.2:${port}` }]
    t.match(JSON.parse(text), {
      tcp: { services: { default_shop_metrics: { loadBalancer: { servers } } } },
    })
    t.equal((await get('/v1/sd/traefik?environment=none', discovery)).text, '{}')
  })

  await t.test('Envoy', async (t) => {
    const request = {
      node: { id: 'edge', cluster: 'edge', user_agent_name: 'envoy' },
      resource_names: ['default/shop/metrics'],
      type_url: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
    }
    const path = '/v3/discovery:endpoints'
    const refused = await shop.call('POST', path, request, metrics)
    t.equal(refused.status, 403)
    t.match(await refused.text(), /a token of its own: bulkhead token create --discovery/)
    const other = await shop.call('GET', '/metrics', undefined, discovery)
    t.match(await other.text(), /a token of their own: bulkhead token create --metrics/)
    const answer = await shop.call('POST', path, request, discovery)
    const body = (await answer.json()) as { version_info: string; resources: unknown[] }
    t.match(body.resources, [
      { cluster_name: 'default/shop/metrics', endpoints: [{ lb_endpoints: [{}, {}] }] },
    ])
    const again = { ...request, version_info: body.version_info }
    t.equal((await shop.call('POST', path, again, discovery)).status, 304, 'nothing has changed')
    const none = { resourceNames: ['default/none/http'] }
    const camel = await shop.call('POST', path, none, discovery)
    t.match(await camel.json(), {
      resources: { length: 1, 0: { cluster_name: 'default/none/http' } },
    })
    const known = { resourceNames: request.resource_names, versionInfo: body.version_info }
    t.equal((await shop.call('POST', path, known, discovery)).status, 304, 'in camel case, too')
    t.equal((await shop.call('POST', path, { resource_names: 'x' }, discovery)).status, 400)
  })

  await t.test('hosts', async (t) => {
    const { type, text } = await get('/v1/sd/hosts', discovery)
    t.match(type, /^text\/plain/)
    t.match(text.split('\n').toSorted(), [
      '',
      new RegExp(
        `^127.0.0.1\tshop-[01]-[a-z0-9]+.shop.default.bulkhead shop.default.bulkhead\t# metrics=${port}$`,
      ),
      /^127.0.0.2\t/,
    ])
  })

  await t.test('all of it is described', async (t) => {
    const { paths } = (await shop.ask('GET', '/v1/openapi.json')) as {
      paths: Record<string, unknown>
    }
    const described = [
      '/v1/sd/prometheus',
      '/v1/sd/traefik',
      '/v1/sd/hosts',
      '/v3/discovery:endpoints',
    ]
    for (const path of described) t.ok(paths[path], path)
  })
})
