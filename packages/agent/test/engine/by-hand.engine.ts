import { firstInstanceId } from '@bulkhead/shared'
import t from 'tap'

import { ownership } from '../../src/core/ownership.ts'
import { agentOnEngine } from '../support/agent-on-engine.ts'
import { callDocker, testDocker, testImage } from '../support/real-engine.ts'
import { assignment, template } from '../support/templates.ts'

const skip = testDocker === null ? 'BULKHEAD_TEST_DOCKER names no engine' : false

t.test('what people do by hand, on a real engine', { skip }, async (t) => {
  const { cluster, environment, server, engine, labels, basePort, network, start, joining } =
    await agentOnEngine(t)
  const probe = { intervalMs: 300, timeoutMs: 200, failures: 2, successes: 1 }
  const check = { kind: 'tcp' as const, port: 'http' }
  const web = template({
    image: { name: testImage, reference: testImage, digest: '', local: true },
    command: ['/bin/sh', '-c', 'exec httpd -f -p 8080 -h /tmp'],
    ports: { http: { port: 8080, protocol: 'tcp', host: null } },
    health: { readiness: { ...probe, check }, liveness: { ...probe, check } },
    stop: { drainMs: 0, graceMs: 300 },
  })
  const assigned = assignment({
    instance: firstInstanceId(cluster, `${environment}/web`, 0, 1),
    service: `${environment}/web`,
    hostPorts: { http: basePort },
    template: web,
  })
  /** The instance that serves the slot, other than `before`, once it is healthy. */
  const serving = async (before: string | null = null): Promise<string> => {
    let found = ''
    await server.until(
      'a healthy instance',
      () => {
        const all = [...server.reports.values()]
        const healthy = all.find(
          ({ instance, observed }) =>
            instance !== before && observed.state === 'running' && observed.health === 'healthy',
        )
        found = healthy?.instance ?? ''
        return found !== ''
      },
      20_000,
    )
    return found
  }
  const containerOf = async (instance: string): Promise<string> =>
    (await engine.list({ ...labels, [ownership.instance]: instance }))[0]?.id ?? ''
  const waiting = async (): Promise<readonly string[]> =>
    (await engine.list(labels)).filter(({ state }) => state === 'created').map(({ id }) => id)
  const untilPrepared = async (isNew: (id: string) => boolean): Promise<void> => {
    const deadline = performance.now() + 15_000
    while (!(await waiting()).some(isNew)) {
      if (performance.now() > deadline) throw new Error('no successor was prepared')
      await new Promise((resolve) => setTimeout(resolve, 100))
    }
  }
  const observed = (instance: string) => server.reports.get(instance)?.observed
  const answers = async (): Promise<number> =>
    (await fetch(`http://${joining.address}:${basePort}/`)).status

  start(joining)
  await server.until('a session', () => server.of('inventory').length > 0)
  server.assign(assigned)
  let current = await serving()

  await t.test('docker pause', async (t) => {
    const container = await containerOf(current)
    await callDocker('POST', `/containers/${container}/pause`)
    await server.until('that it is told', () => observed(current)?.health === 'unhealthy')
    t.match(observed(current), { state: 'running', reason: /paused its container.*docker unpause/ })
    await new Promise((resolve) => setTimeout(resolve, 1500))
    t.match(observed(current), { state: 'running', reason: /paused/ })
    await callDocker('POST', `/containers/${container}/unpause`)
    t.equal(await serving(), current)
    t.equal(await containerOf(current), container)
  })

  await t.test('docker network disconnect', async (t) => {
    const container = await containerOf(current)
    await callDocker('POST', `/networks/${network}/disconnect`, {
      Container: container,
      Force: true,
    })
    const successor = await serving(current)
    t.match(observed(current), {
      state: 'failed',
      reason: new RegExp(`disconnected from the network ${network} by somebody else`),
    })
    t.equal(await answers(), 404)
    current = successor
  })

  await t.test('docker network rm, under a successor that waits', async (t) => {
    await untilPrepared(() => true)
    const before = await waiting()
    const container = await containerOf(current)
    await callDocker('POST', `/networks/${network}/disconnect`, {
      Container: container,
      Force: true,
    })
    await callDocker('DELETE', `/networks/${network}`)
    current = await serving(current)
    t.equal(await answers(), 404)
    await untilPrepared((id) => !before.includes(id))
    t.notOk((await waiting()).some((id) => before.includes(id)))
    await engine.signal(await containerOf(current), 'SIGKILL')
    current = await serving(current)
    t.equal(await answers(), 404)
  })

  await t.test('docker network rm, while nothing runs', async (t) => {
    const stopped = [...server.assignments.values()]
    server.assign(...stopped.map((one) => ({ ...one, desired: 'stop' as const, cause: 'deleted' })))
    await server.until('its end', () => observed(current)?.state === 'stopped', 10_000)
    await callDocker('DELETE', `/networks/${network}`)
    server.remove(...stopped.map(({ instance }) => instance))
    const another = firstInstanceId(cluster, `${environment}/web`, 0, 2)
    server.assign({ ...assigned, instance: another })
    t.equal(await serving(), another)
    t.equal(await answers(), 404)
  })
})
