import { firstInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { ownership } from '../../src/core/ownership.ts'
import type { DockerEngine } from '../../src/engine/docker-engine.ts'
import { runAgent } from '../../src/main.ts'
import { agentOnEngine } from '../support/agent-on-engine.ts'
import { aTable } from '../support/endpoints.ts'
import { testDocker, testImage } from '../support/real-engine.ts'
import { assignment, template } from '../support/templates.ts'

const skip = testDocker === null ? 'BULKHEAD_TEST_DOCKER names no engine' : false
const count = 4

t.test('an agent on a real engine', { skip }, async (t) => {
  const node = await agentOnEngine(t)
  const { cluster, environment, data, server, engine, address, labels, basePort, start, stop } =
    node
  const probe = { intervalMs: 500, timeoutMs: 400, failures: 2, successes: 1 }
  const check = { kind: 'http' as const, port: 'http', path: '/', headers: {} }
  const program = 'echo hello > /tmp/index.html; exec httpd -f -p 8080 -h /tmp'
  const web = template({
    image: { name: testImage, reference: testImage, digest: '', local: true },
    command: ['/bin/sh', '-c', program],
    ports: { http: { port: 8080, protocol: 'tcp', host: null } },
    health: { readiness: { ...probe, check } },
    stop: { drainMs: 300, graceMs: 500 },
  })
  const assignments = Array.from({ length: count }, (_, slot) =>
    assignment({
      instance: firstInstanceId(cluster, `${environment}/web`, slot, 1),
      service: `${environment}/web`,
      slot,
      hostPorts: { http: basePort + slot },
      template: web,
    }),
  )
  const healthy = () =>
    [...server.reports.values()].filter(
      ({ observed }) => observed.state === 'running' && observed.health === 'healthy',
    ).length

  await t.test('it joins, and runs what is assigned', async (t) => {
    start(node.joining)
    await server.until('a session', () => server.of('inventory').length > 0)
    t.match(server.joins[0]?.body, { name: 'node1', facts: { address, zones: ['application'] } })
    server.assign(...assignments)
    await server.until('all healthy', () => healthy() === count, 30_000)
    const response = await fetch(`http://${address}:${basePort}/`).catch(() => null)
    t.equal(await response?.text(), 'hello\n', 'at the published port')
  })

  await t.test('discovery is there for it, from inside', async (t) => {
    const endpoint = {
      instance: 'x',
      node: 'node1',
      zone: 'application',
      port: 'http',
      address,
      hostPort: basePort,
      weight: 100,
    }
    server.endpoints(true, [aTable(`${environment}/web`, 'application', 1, [endpoint])])
    await server.until('the tables', () => server.of('endpoints-applied').length > 0)
    const [container] = await engine.list(labels)
    const script =
      'wget -q -O - "$BULKHEAD_DISCOVERY/v1/discovery/$BULKHEAD_ENVIRONMENT/web?port=http"'
    const execution = await engine.exec(
      container?.id ?? '',
      ['/bin/sh', '-c', script],
      new AbortController().signal,
    )
    let text = ''
    for await (const { data: piece } of execution.output) text += piece.toString()
    t.match(JSON.parse(text), { service: 'web', environment, endpoints: [endpoint] })
  })

  await t.test('a crash is answered and explained', async (t) => {
    const [first] = assignments
    const id = first?.instance ?? ''
    const [container] = await engine.list({ ...labels, [ownership.instance]: id })
    await engine.signal(container?.id ?? '', 'SIGKILL')
    await server.until('the failure', () => server.reports.get(id)?.observed.state === 'failed')
    t.match(server.reports.get(id)?.observed, { exitCode: 137, reason: /SIGKILL/ })
    await server.until('the successor', () => healthy() === count)
    t.notOk(server.assignments.has(id), 'which is what is assigned now')
  })

  await t.test('a second agent is refused the data directory', async (t) => {
    await t.rejects(runAgent({ data }, new AbortController().signal), { code: 'conflict' })
  })

  await t.test('a new agent with nothing but the data directory adopts everything', async (t) => {
    const before = await listRunning(engine)
    await stop()
    const sessions = server.of('inventory').length
    start({})
    await server.until('a session', () => server.of('inventory').length > sessions)
    const states = server
      .of('inventory')
      .at(-1)
      ?.reports.map(({ observed }) => observed.health)
    t.equal(states?.filter((health) => health === 'healthy').length, count)
    await new Promise((resolve) => setTimeout(resolve, 1500))
    t.same(await listRunning(engine), before)
    t.equal(healthy(), count)
  })

  await t.test('cut off, it goes on alone', async () => {
    const [, second] = assignments
    server.cut()
    const [container] = await engine.list({
      ...labels,
      [ownership.instance]: second?.instance ?? '',
    })
    await engine.signal(container?.id ?? '', 'SIGKILL')
    await server.until(
      'a session that tells',
      () => server.reports.get(second?.instance ?? '')?.observed.state === 'failed',
    )
    await server.until('all healthy', () => healthy() === count)
  })

  await t.test('logs and commands', async (t) => {
    const [instance = ''] = server.assignments.keys()
    server.send({
      kind: 'stream-open',
      stream: 1,
      instance,
      request: { kind: 'exec', command: ['/bin/sh', '-c', 'echo hi; exit 4'] },
    })
    await server.until('its end', () => server.of('stream-end').length > 0)
    t.match(server.of('stream-end')[0], { stream: 1, exitCode: 4, error: '' })
    const [piece] = server.of('stream-data')
    t.equal(Buffer.from(piece?.data ?? '', 'base64').toString(), 'hi\n')
  })

  await t.test('stopping leaves nothing', async (t) => {
    const all = [...server.assignments.values()]
    server.assign(...all.map((one) => ({ ...one, desired: 'stop' as const, cause: 'deleted' })))
    const isStopped = (id: string) => server.reports.get(id)?.observed.state === 'stopped'
    await server.until(
      'all stopped',
      () => all.every(({ instance }) => isStopped(instance)),
      20_000,
    )
    server.remove(...all.map(({ instance }) => instance))
    await new Promise((resolve) => setTimeout(resolve, 500))
    t.same(await engine.list(labels), [])
  })

  async function listRunning(from: DockerEngine): Promise<readonly string[]> {
    const all = await from.list(labels)
    return all
      .filter(({ state }) => state === 'running')
      .map(({ id }) => id)
      .toSorted()
  }
})
