import fc from 'fast-check'

import { nested } from '../data/json.ts'
import { type AnyRequest, anyRequest, type Known, type Route } from '../data/requests.ts'
import { checkAnswer } from '../run/http.ts'
import { halfRequests, rawBytes, rawText } from '../run/raw-http.ts'
import { facts, SeededControlPlane, service } from '../run/seeded-control-plane.ts'
import { type Check, expect, type Target } from '../run/target.ts'

interface Named {
  readonly name: string
  readonly environment: string
}
interface Told {
  readonly actor: string
  readonly action: string
  readonly subject: string
}

const seeds = [
  service('web', { replicas: 2 }),
  service('api'),
  service('job', { environment: 'prod' }),
]

/** Everything as it was in the beginning, or nearly: what was made since is deleted. */
async function reset(cluster: SeededControlPlane): Promise<void> {
  for (const { environment, name } of await cluster.items<Named>('/v1/services')) {
    if (['web', 'api', 'job'].includes(name)) continue
    await cluster.call('DELETE', `/v1/services/${environment}/${name}`)
  }
  for (const { name } of await cluster.items<Named>('/v1/nodes')) {
    await cluster.call('DELETE', `/v1/nodes/${encodeURIComponent(name)}`)
  }
  await cluster.join('n1')
  await cluster.call('POST', '/v1/apply', { documents: seeds, allowPending: true })
}

async function learn(cluster: SeededControlPlane): Promise<Known> {
  const { paths } = (await cluster.ask('GET', '/v1/openapi.json')) as {
    paths: Record<string, object>
  }
  const routes = Object.entries(paths).flatMap(([path, item]) =>
    Object.keys(item).map((method): Route => ({ method: method.toUpperCase(), path })),
  )
  expect(routes.length > 30, `only ${routes.length} routes are described`)
  const instances = await cluster.items<{ id: string }>('/v1/instances')
  const tokens = [cluster.admin, await cluster.joinToken(), await cluster.join('n2')]
  return { routes, instances: instances.map(({ id }) => id), tokens }
}

/** What only writes of callers change; the rest goes on by itself. */
async function owned(cluster: SeededControlPlane): Promise<string> {
  const nodes = await cluster.items<Record<string, unknown>>('/v1/nodes')
  const zones = await cluster.items<Record<string, unknown>>('/v1/zones')
  return JSON.stringify([
    nodes.map(({ name, labels, zones, capacity, joinedAt }) => [
      name,
      labels,
      zones,
      capacity,
      joinedAt,
    ]),
    zones.map(({ name, edge, reaches }) => [name, edge, reaches]),
  ])
}

async function eventsAfter(cluster: SeededControlPlane, revision: number): Promise<Told[]> {
  const all = await cluster.items<Told & { revision: number }>('/v1/events?limit=50')
  return all.filter((event) => event.revision > revision && event.actor !== 'controlplane')
}

const revisionOf = async (cluster: SeededControlPlane): Promise<number> =>
  ((await cluster.ask('GET', '/readyz')) as { revision: number }).revision

async function sendOne(cluster: SeededControlPlane, request: AnyRequest): Promise<void> {
  const isWrite = !['GET', 'HEAD', 'OPTIONS'].includes(request.method)
  const before = isWrite ? await owned(cluster) : ''
  const revision = isWrite ? await revisionOf(cluster) : 0
  const answer = await cluster.http.send(request)
  checkAnswer(request.method, answer)
  if (!isWrite || answer.status < 400) return
  expect((await owned(cluster)) === before, `refused with ${answer.status}, yet something changed`)
  const told = await eventsAfter(cluster, revision)
  expect(told.length === 0, `refused with ${answer.status}, yet there is ${JSON.stringify(told)}`)
}

const largeBodies: readonly (() => string)[] = [
  () => `{"documents":[${'1,'.repeat(4_000_000)}1]}`,
  () => `{"documents":[${nested(1_000_000, 'list')}]}`,
  () => `{"documents":[{"a":${nested(500_000, 'mapping')}}]}`,
  () => JSON.stringify({ documents: [{ ...seeds[0], env: { A: 'x'.repeat(15_000_000) } }] }),
  () => 'x'.repeat(17 * 1024 * 1024),
  () =>
    JSON.stringify({
      documents: Array.from({ length: 5000 }, (_, index) => ({ ...seeds[0], nope: index })),
    }),
  () => JSON.stringify({ name: 'n1', facts: { ...facts, labels: { a: 'x'.repeat(10_000_000) } } }),
  () => `{${Array.from({ length: 300_000 }, (_, index) => `"k${index}":1`).join(',')}}`,
]
const largeRequest = fc.record({
  path: fc.constantFrom(
    '/v1/apply',
    '/v1/plan',
    '/v1/nodes/n1/labels',
    '/v1/services/default/web/scale',
  ),
  body: fc.nat({ max: largeBodies.length - 1 }),
})

async function sendLarge(
  cluster: SeededControlPlane,
  { path, body: which }: { readonly path: string; readonly body: number },
): Promise<void> {
  const headers = { authorization: `Bearer ${cluster.admin}`, 'content-type': 'application/json' }
  const body = largeBodies[which]?.() ?? ''
  checkAnswer('POST', await cluster.http.send({ method: 'POST', path, headers, body }))
  const { status } = await cluster.call('GET', '/healthz')
  expect(status === 200, `healthz: ${status}`)
}

function checksOf(cluster: SeededControlPlane, known: Known): Check[] {
  const { url } = cluster.process
  const check = <T>(
    name: string,
    runs: number,
    input: fc.Arbitrary<T>,
    run: (value: T) => Promise<void>,
  ): Check => {
    const revive = async (): Promise<void> => void (await cluster.revive())
    return { name, runs, property: fc.asyncProperty(input, run).beforeEach(revive) }
  }
  const many = fc.array(anyRequest(known), { minLength: 2, maxLength: 24 })
  const raw = rawText(cluster.admin)
  return [
    check('one request', 150, anyRequest(known), (request) => sendOne(cluster, request)),
    check('requests at once', 5, many, async (requests) => {
      const answers = await Promise.all(requests.map((request) => cluster.http.send(request)))
      for (const [index, answer] of answers.entries()) {
        checkAnswer(requests[index]?.method ?? '', answer)
      }
    }),
    check('mangled requests', 30, raw, (text) => rawBytes(url, text)),
    check('half requests', 1, raw, (text) => halfRequests(url, text, () => cluster.inspect())),
    check('large bodies', 2, largeRequest, (request) => sendLarge(cluster, request)),
  ]
}

/** The HTTP API of a control plane that runs as a process of its own. */
export async function openApi(): Promise<Target> {
  const cluster = await SeededControlPlane.start()
  await reset(cluster)
  const checks = checksOf(cluster, await learn(cluster))
  return {
    name: 'api',
    checks,
    async inspect() {
      await cluster.inspect()
      await reset(cluster)
    },
    [Symbol.asyncDispose]: () => cluster[Symbol.asyncDispose](),
  }
}
