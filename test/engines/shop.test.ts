import { once } from 'node:events'
import { createServer } from 'node:http'

import { t as suite, test } from 'tap'

import { loadDemoImages } from '../../scripts/start/demo-images.ts'
import { waitFor } from './command.ts'
import { startContainer } from './containers.ts'
import { createHosts, type Hosts } from './hosts.ts'
import { whyNotEngines } from './skip.ts'

const skip = whyNotEngines() ?? false
const timeout = 180_000
suite.setTimeout(600_000)

interface Running {
  readonly service: string
  readonly instance: string
  readonly hostPort: number
  healthy: boolean
}

/** Answers as the control plane's discovery does, about the containers of the test. */
async function serveDiscovery(address: string, running: readonly Running[], node: string) {
  const server = createServer((request, response) => {
    const [, environment, service] =
      /^\/v1\/discovery\/([^/]+)\/([^/?]+)\?port=http$/.exec(request.url ?? '') ?? []
    const endpoints = running
      .filter((instance) => instance.service === service && instance.healthy)
      .map(({ instance, hostPort }) => ({ instance, address: node, port: 8080, hostPort }))
    response.end(JSON.stringify({ service, environment, revision: 1, endpoints }))
  })
  server.listen(0, address)
  await once(server, 'listening')
  const bound = server.address()
  const port = typeof bound === 'object' ? bound?.port : undefined
  return {
    url: `http://${address}:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

/** Starts a program as an agent does: hardened, with who it is in its environment. */
async function startProgram(hosts: Hosts, image: string, running: Running, discovery: string) {
  const { docker, name } = hosts.host(1)
  return startContainer(docker, image, {
    command: ['/bin/node', `/app/${running.service}.js`],
    publish: { 8080: running.hostPort },
    env: {
      BULKHEAD_DISCOVERY: discovery,
      BULKHEAD_ENVIRONMENT: 'demo',
      BULKHEAD_SERVICE: running.service,
      BULKHEAD_INSTANCE: running.instance,
      BULKHEAD_NODE: name,
    },
    host: {
      Memory: 128 * 1024 * 1024,
      NanoCpus: 250_000_000,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      Tmpfs: { '/tmp': '' },
    },
  })
}

await test('the shop example in three tiers', { skip, timeout }, async (t) => {
  await using hosts = await createHosts({ count: 1 })
  const { address, docker, socket } = hosts.host(1)
  const [one = '', two = ''] = await loadDemoImages(socket)
  t.strictSame([one, two], ['bulkhead-demo/shop:1', 'bulkhead-demo/shop:2'])

  const names = ['store-a', 'api-a', 'api-b', 'web-a']
  const running = names.map((instance, index): Running => {
    const service = instance.split('-')[0] ?? ''
    return { service, instance, hostPort: 21_000 + index, healthy: true }
  })
  await using discovery = await serveDiscovery(hosts.address, running, address)
  const containers = await Promise.all(
    running.map(async (instance) => {
      const image = instance.instance === 'api-b' ? two : one
      return startProgram(hosts, image, instance, discovery.url)
    }),
  )
  const web = `http://${address}:21003`
  const readShop = async () => {
    const response = await fetch(`${web}/shop`, { signal: AbortSignal.timeout(10_000) })
    return { status: response.status, shop: JSON.parse(await response.text()) }
  }
  await waitFor('the shop to answer', 30_000, async () => (await readShop()).status === 200)

  const page = await (await fetch(web)).text()
  t.match(page, 'data-version="1"', 'the page shows its version')

  const seen = new Set<string>()
  for (let count = 0; count < 6; count += 1) {
    const { shop } = await readShop()
    seen.add(`${shop.web.instance} ${shop.api.instance} ${shop.api.version} ${shop.store.instance}`)
  }
  const both = ['web-a api-a 1 store-a', 'web-a api-b 2 store-a']
  t.strictSame([...seen].toSorted(), both, 'the instances of a tier answer in turn')

  const order = { method: 'POST', body: JSON.stringify({ product: 'bell', quantity: 2 }) }
  t.equal((await fetch(`${web}/orders`, order)).status, 201, 'an order is taken')
  const { shop } = await readShop()
  t.match(shop.orders, [{ product: "Ship's bell", quantity: 2 }], 'and is listed')

  const stats = await containers[3]?.stats({ stream: false })
  t.ok((stats?.memory_stats.usage ?? Infinity) < 100 * 1024 * 1024, 'it fits its memory')
  t.comment(`memory of web: ${stats?.memory_stats.usage} bytes`)

  const startedAt = performance.now()
  await containers[1]?.stop({ t: 10 })
  t.ok(performance.now() - startedAt < 5000, 'it ends at SIGTERM')
  const { State } = (await containers[1]?.inspect()) ?? {}
  t.equal(State?.ExitCode, 0, 'in order')
  t.equal((await readShop()).shop.api.instance, 'api-b', 'its callers go to the others')
  t.equal((await docker.listContainers()).length, 3)

  const again = performance.now()
  await loadDemoImages(socket)
  t.comment(`images that are there already: ${Math.round(performance.now() - again)} ms`)
})
