import { randomUUID } from 'node:crypto'

import { systemClock } from '@bulkhead/shared'
import t from 'tap'

import type { ContainerSpec } from '../../src/core/container-spec.ts'
import { ownership } from '../../src/core/ownership.ts'
import { DockerEngine } from '../../src/engine/docker-engine.ts'
import { defaultLimits } from '../../src/engine/docker-payload.ts'
import { EngineError, type EngineEvent } from '../../src/engine/engine.ts'
import { findAddress } from '../../src/node/address.ts'
import { callDocker, testDocker, testImage } from '../support/real-engine.ts'

const skip = testDocker === null ? 'BULKHEAD_TEST_DOCKER names no engine' : false

t.test('a real engine', { skip }, async (t) => {
  const socketPath = testDocker ?? ''
  const engine = new DockerEngine(
    { clock: systemClock },
    { socketPath, limits: defaultLimits, withIpv6: true },
  )
  const alive = setInterval(() => {}, 1000)
  const run = randomUUID().slice(0, 8)
  const labels = { [ownership.cluster]: `test-${run}`, [ownership.node]: 'n' }
  const network = `bulkhead-test-${run}`
  const address = (await findAddress()) ?? '127.0.0.1'
  const hostPort = 20_000 + Math.trunc(Math.random() * 10_000)
  const spec = (name: string, changes: Partial<ContainerSpec> = {}): ContainerSpec => ({
    name: `bulkhead-${run}-${name}`,
    imageReference: testImage,
    command: ['/bin/sh', '-c', 'echo out; echo err >&2; exec sleep 1000'],
    args: [],
    env: { A: 'x=1' },
    addresses: { ipv4: null, ipv6: null },
    labels: { ...labels, [ownership.instance]: name },
    network,
    resolver: null,
    ports: [],
    cpuMillis: 500,
    memoryBytes: 32 * 1024 * 1024,
    pids: 20,
    user: 1000,
    group: 1001,
    writable: ['/tmp', '/run'],
    writableRoot: false,
    capabilities: [],
    stopSignal: 'SIGTERM',
    ...changes,
  })
  const refused = (kind: EngineError['kind']) => (error: unknown) => {
    if (!(error instanceof EngineError)) throw error
    t.equal(error.kind, kind, error.message)
    return null
  }

  t.teardown(async () => {
    for (const { id } of await engine.list(labels)) await engine.remove(id)
    await callDocker('DELETE', `/networks/${network}`)
    clearInterval(alive)
  })

  const events: EngineEvent[] = []
  const following = new AbortController()
  const connected = Promise.withResolvers<void>()
  const follow = async (): Promise<void> => {
    try {
      for await (const event of engine.events(labels, following.signal)) {
        events.push(event)
        connected.resolve()
      }
    } catch (error) {
      if (!following.signal.aborted) throw error
    }
  }
  const followed = follow()
  await connected.promise

  await t.test('facts', async (t) => {
    const { engine: facts, capacity } = await engine.facts()
    t.match(facts.apiVersion, /^1\.\d+$/)
    t.ok(capacity.cpuMillis >= 1000)
    await engine.ping()
  })

  await t.test('a network that isolates, made once', async (t) => {
    const nodes = ['a', 'b'].map((node) => ({ ...labels, 'bulkhead.node': node }))
    await Promise.all(nodes.map((own) => engine.ensureNetwork(network, own)))
    const made = await engine.ensureNetwork(network, labels)
    t.match(made.gateway, /^\d+\.\d+\.\d+\.\d+$/)
    t.same(await engine.ensureNetwork(network, labels), made, 'also after a race')
    await engine.ensureNetwork('bridge', labels).catch(refused('refused'))
  })

  await t.test('hardened, as the engine itself reads it back', async (t) => {
    const ports = [{ containerPort: 80, protocol: 'tcp', address, hostPort } as const]
    const id = await engine.create(spec('hard', { ports }))
    await engine.start(id)
    await engine.start(id)
    const info = await engine.inspect(id)
    t.match(info, {
      state: 'running',
      name: `bulkhead-${run}-hard`,
      labels,
      exitCode: null,
      oomKilled: false,
    })
    t.match(info.address, /^\d+\./)
    t.ok(Math.abs((info.startedAtMs ?? 0) - Date.now()) < 60_000)
    const { Config, HostConfig } = (await callDocker('GET', `/containers/${id}/json`)) as Inspected
    t.match(HostConfig, {
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges:true'],
      Privileged: false,
      ReadonlyRootfs: true,
      Memory: 32 * 1024 * 1024,
      MemorySwap: 32 * 1024 * 1024,
      NanoCpus: 500_000_000,
      PidsLimit: 20,
      IpcMode: 'private',
      RestartPolicy: { Name: 'no' },
      NetworkMode: network,
      PortBindings: { '80/tcp': [{ HostIp: address, HostPort: String(hostPort) }] },
      Ulimits: [{ Name: 'nofile' }],
    })
    t.notOk(HostConfig['CapAdd']?.length)
    t.notOk(HostConfig['Binds']?.length)
    t.notOk(HostConfig['PidMode'])
    t.match((HostConfig['LogConfig'] as { Config: object }).Config, {
      'max-size': /./,
      'max-file': /./,
    })
    t.match(Config, { User: '1000:1001', StopSignal: 'SIGTERM', Env: ['A=x=1'] })
    const inside = await output(
      'id; touch /x; touch /tmp/x && ls /tmp; grep -E "NoNewPrivs|CapEff" /proc/self/status; mount | grep " /tmp "',
      id,
    )
    t.match(inside, /uid=1000\S* gid=1001/)
    t.match(inside, /Read-only file system/)
    t.match(inside, /\nx\n/)
    t.match(inside, /NoNewPrivs:\s+1/)
    t.match(inside, /CapEff:\s+0+\n/)
    t.match(inside, /nosuid,nodev,noexec/)
  })

  await t.test('the port is taken', async () => {
    const ports = [{ containerPort: 80, protocol: 'tcp', address, hostPort } as const]
    const id = await engine.create(spec('port', { ports }))
    await engine.start(id).catch(refused('port-taken'))
    await engine.remove(id)
  })

  await t.test('refusals', async (t) => {
    await engine.create(spec('hard')).catch(refused('conflict'))
    await engine
      .create(spec('image', { imageReference: `nowhere/${run}:1` }))
      .catch(refused('no-such-image'))
    const id = await engine.create(spec('command', { command: ['/bin/nothing'] }))
    await engine.start(id).catch(refused('refused'))
    await engine.remove(id)
    await engine.remove(id)
    await engine.start(id).catch(refused('no-such-container'))
    await engine.inspect(id).catch(refused('no-such-container'))
    const { signal } = new AbortController()
    await engine.pull('127.0.0.1:1/none:1', null, () => {}, signal).catch(refused('pull-failed'))
    const nobody = new DockerEngine(
      { clock: systemClock },
      { socketPath: '/nonexistent', limits: defaultLimits, withIpv6: false },
    )
    await nobody.ping().catch(refused('unreachable'))
    t.end()
  })

  await t.test('output, commands and figures', async (t) => {
    const id = await idOf('hard')
    const options = { follow: false, sinceMs: null, tail: 10 }
    const chunks: string[] = []
    for await (const { channel, data } of engine.logs(id, options, new AbortController().signal)) {
      chunks.push(`${channel} ${data.toString().trim()}`)
    }
    t.same(chunks.toSorted(), ['stderr err', 'stdout out'])
    const execution = await engine.exec(
      id,
      ['/bin/sh', '-c', 'echo hi; exit 3'],
      new AbortController().signal,
    )
    let text = ''
    for await (const { data } of execution.output) text += data.toString()
    t.equal(text, 'hi\n')
    t.equal(await execution.exitCode(), 3)
    const abandoned = new AbortController()
    const slow = await engine.exec(id, ['sleep', '100'], abandoned.signal)
    setTimeout(() => abandoned.abort(), 100)
    await t.rejects(async () => {
      for await (const { data } of slow.output) text += data.toString()
    })
    const stats = await engine.stats(id)
    t.ok(stats.memoryBytes > 0 && stats.pids >= 1)
    const following = new AbortController()
    setTimeout(() => following.abort(), 200)
    await t.rejects(async () => {
      const all = engine.logs(id, { ...options, follow: true }, following.signal)
      for await (const { data } of all) text += data.toString()
    })
  })

  await t.test('its end, with the cause', async (t) => {
    const id = await idOf('hard')
    await engine.limitCpu(id, 300)
    await engine.signal(id, 'SIGKILL')
    await until(() => events.some((event) => event.kind === 'died' && event.containerId === id))
    t.match(await engine.inspect(id), {
      state: 'exited',
      exitCode: 137,
      finishedAtMs: Number,
      address: '',
    })
    t.same(events.flatMap(lifeOf(id)), ['started', 'died'])
    await engine.signal(id, 'SIGTERM').catch(refused('conflict'))
  })

  await t.test('what people do to it by hand', async (t) => {
    const id = await engine.create(spec('hand'))
    await engine.start(id)
    t.match(await engine.inspect(id), { isDetached: false })
    await callDocker('POST', `/containers/${id}/pause`)
    t.match(await engine.inspect(id), { state: 'paused', isDetached: false })
    await callDocker('POST', `/containers/${id}/unpause`)
    await callDocker('POST', `/networks/${network}/disconnect`, { Container: id, Force: true })
    await until(() =>
      events.some((event) => event.kind === 'disconnected' && event.containerId === id),
    )
    t.match(await engine.inspect(id), { state: 'running', isDetached: true, address: '' })
    t.match(await engine.list({ ...labels, [ownership.instance]: 'hand' }), [
      { state: 'running', isDetached: true },
    ])
    t.same(events.flatMap(lifeOf(id)), ['started', 'paused', 'unpaused'])
    await engine.remove(id)
    await engine.ensureNetwork(`${network}-2`, labels)
    await engine.removeNetwork(`${network}-2`)
    await until(() =>
      events.some((event) => event.kind === 'network-removed' && event.network === `${network}-2`),
    )
  })

  await t.test('out of memory', async (t) => {
    const id = await engine.create(
      spec('oom', { command: ['/bin/sh', '-c', 'tail /dev/zero'], memoryBytes: 8 * 1024 * 1024 }),
    )
    await engine.start(id)
    await until(() => events.some((event) => event.kind === 'died' && event.containerId === id))
    const kinds = events.flatMap(lifeOf(id))
    const info = await engine.inspect(id)
    t.ok(kinds.includes('oom') || info.oomKilled, kinds.join(' '))
  })

  await t.test('what happens while nobody listens is told later', async (t) => {
    following.abort()
    await followed
    const id = await engine.create(spec('later'))
    await engine.start(id)
    await engine.remove(id)
    const again = new AbortController()
    const told: string[] = []
    for await (const event of engine.events(labels, again.signal)) {
      told.push(...lifeOf(id)(event))
      if (told.includes('removed')) break
    }
    t.same(told, ['started', 'died', 'removed'])
  })

  async function idOf(instance: string): Promise<string> {
    const [found] = await engine.list({ ...labels, [ownership.instance]: instance })
    return found?.id ?? ''
  }

  async function output(script: string, id: string): Promise<string> {
    const execution = await engine.exec(id, ['/bin/sh', '-c', script], new AbortController().signal)
    let text = ''
    for await (const { data } of execution.output) text += data.toString()
    return text
  }

  async function until(probe: () => boolean): Promise<void> {
    const deadline = performance.now() + 15_000
    while (!probe()) {
      if (performance.now() > deadline) throw new Error('waited in vain')
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
})

/** What an event says of the life of one container. */
const lifeOf =
  (id: string) =>
  (event: EngineEvent): readonly string[] =>
    'labels' in event && event.containerId === id ? [event.kind] : []

interface Inspected {
  readonly Config: Readonly<Record<string, unknown>>
  readonly HostConfig: Readonly<Record<string, { readonly length?: number }>>
}
