import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { firstInstanceId, type Endpoint } from '@bulkhead/shared'
import { listenDns } from '@bulkhead/shared/dns'
import t from 'tap'

import { answerWith, endpoint, http } from '../../../shared/test/dns/support.ts'
import { ownership } from '../../src/core/ownership.ts'
import { agentOnEngine } from '../support/agent-on-engine.ts'
import { aTable } from '../support/endpoints.ts'
import { callDocker, testDocker, testNodeImage } from '../support/real-engine.ts'
import { assignment, template } from '../support/templates.ts'

const run = promisify(execFile)
const skip = testDocker === null ? 'BULKHEAD_TEST_DOCKER names no engine' : false
const withoutProxy = spawnSync('haproxy', ['-v']).error ? 'haproxy is not installed' : false
/** Where the host's own resolver is pretended to be. */
const upstreamAddress = '127.77.0.53'

interface Inspected {
  readonly State: { readonly Pid: number }
  readonly NetworkSettings: { readonly Networks: Record<string, { readonly Gateway: string }> }
}

t.test('names, on a real engine', { skip }, async (t) => {
  const node = await agentOnEngine(t)
  const { cluster, environment, server, engine, address, labels, basePort, network } = node
  const directory = await mkdtemp(join(tmpdir(), 'bulkhead-dns-'))
  const seen: string[] = []
  const upstream = await listenDns(upstreamAddress, 53, async ({ message }) => {
    const { name, bytes } = answerWith(message, '127.0.0.7')
    seen.push(name)
    return bytes
  })
  t.teardown(async () => {
    await upstream.close()
    await rm(directory, { recursive: true })
  })
  await writeFile(join(directory, 'resolv.conf'), `nameserver ${upstreamAddress}\n`)
  const config = join(directory, 'agent.yaml')
  await writeFile(config, `tuning: { resolvConf: ${join(directory, 'resolv.conf')} }\n`)

  const web = template({
    image: { name: testNodeImage, reference: testNodeImage, digest: '', local: true },
    command: [],
    args: [],
    env: { PORT: '8080' },
    resources: { cpuMillis: 1000, memoryBytes: 128 * 1024 * 1024, pids: 64 },
    ports: { http: { port: 8080, protocol: 'tcp', host: null } },
    stop: { drainMs: 0, graceMs: 300 },
  })
  const id = firstInstanceId(cluster, `${environment}/web`, 0, 1)
  const own: Endpoint = endpoint(0, { instance: id, address, hostPort: basePort })
  /** Only `web` has an address of its own, where the node's proxy passes connections on. */
  const tell = (service: string, zone: string, endpoints: readonly Endpoint[]): void => {
    const addressIndex = service === 'web' ? 1 : null
    const changes = { ports: { http }, addressIndex }
    server.endpoints(false, [aTable(`${environment}/${service}`, zone, 1, [...endpoints], changes)])
  }
  const expected = withoutProxy ? address : '10.231.0.1'
  const told = async (...table: Parameters<typeof tell>): Promise<void> => {
    const before = server.of('endpoints-applied').length
    tell(...table)
    await server.until('the tables', () => server.of('endpoints-applied').length > before)
  }

  const container = async () => {
    const [found] = await engine.list({ ...labels, [ownership.instance]: id })
    return found?.id ?? ''
  }
  const inspect = async () =>
    (await callDocker('GET', `/containers/${await container()}/json`)) as Inspected
  /** What a program hears that just connects to `name`; or the code of why it cannot. */
  const fetchInside = async (name: string): Promise<string> => {
    const url = `http://${name}:8080/who`
    const program = `fetch('${url}').then((r) => r.json()).then((b) => console.log(b.service), (e) => console.log(e.cause.code))`
    const argv = ['/bin/node', '-e', program]
    const execution = await engine.exec(await container(), argv, new AbortController().signal)
    let text = ''
    for await (const { data } of execution.output) text += data.toString()
    return text.trim()
  }
  const gatewayOf = ({ NetworkSettings }: Inspected) =>
    NetworkSettings.Networks[network]?.Gateway ?? ''
  /** As a program in the container asks, with a program of another house. */
  const dig = async (server: string, ...argv: readonly string[]): Promise<string> => {
    const { State } = await inspect()
    const call = [
      '--net',
      `--target=${State.Pid}`,
      'dig',
      `@${server}`,
      '+tries=1',
      '+time=5',
      ...argv,
    ]
    return (await run('nsenter', call)).stdout
  }

  node.start({ ...node.joining, config })
  await server.until('a session', () => server.of('inventory').length > 0)
  server.assign(
    assignment({
      instance: id,
      service: `${environment}/web`,
      hostPorts: { http: basePort },
      template: web,
    }),
  )
  await server.until('it runs', () => server.reports.get(id)?.observed.state === 'running', 30_000)
  await told('web', 'application', [own])
  await told('hidden', 'presentation', [own])
  const gateway = gatewayOf(await inspect())

  await t.test('a program just connects', { skip: withoutProxy }, async (t) => {
    for (const name of ['web', `web.${environment}`, `web.${environment}.bulkhead`]) {
      t.equal(await fetchInside(name), 'web', name)
    }
    t.equal(await fetchInside('hidden'), 'ENOTFOUND')
    t.equal(
      await fetchInside('no.such.name'),
      'web',
      'found outside, and leads to its own loopback',
    )
  })

  await t.test('directly and through the engine’s own resolver', async (t) => {
    for (const at of [gateway, '127.0.0.11']) {
      t.equal(await dig(at, '+short', `web.${environment}.bulkhead`), `${expected}\n`, at)
      t.equal(await dig(at, '+short', '+tcp', `web.${environment}.bulkhead`), `${expected}\n`, at)
      const service = await dig(at, '+short', `_http._tcp.web.${environment}.bulkhead`, 'SRV')
      t.equal(service, `0 100 ${basePort} ${id}.web.${environment}.bulkhead.\n`, at)
      t.match(await dig(at, `hidden.${environment}.bulkhead`), /status: NXDOMAIN/, at)
      t.match(await dig(at, `web.other.bulkhead`), /status: NXDOMAIN/, at)
      t.equal(await dig(at, '+short', 'example.test'), '127.0.0.7\n', at)
      t.equal(await dig(at, '+short', '+tcp', 'example.test'), '127.0.0.7\n', at)
    }
    t.ok(seen.includes('example.test'))
    t.notOk(
      seen.some((name) => name.endsWith('bulkhead')),
      'no name of the cluster leaves it',
    )
  })

  await t.test('who is no container of the node is refused', async (t) => {
    const { stdout } = await run('dig', [`@${gateway}`, `web.${environment}.bulkhead`])
    t.match(stdout, /status: REFUSED/)
  })

  await t.test('a change is told with the next answer', async (t) => {
    const latencies: number[] = []
    for (let round = 0; round < 100; round++) {
      const next = `10.1.2.${round}`
      tell('moving', 'application', [{ ...own, address: next }])
      const startMs = performance.now()
      while ((await dig(gateway, '+short', `moving.${environment}.bulkhead`)) !== `${next}\n`);
      latencies.push(performance.now() - startMs)
    }
    latencies.sort((a, b) => a - b)
    const [p50, p99] = [50, 98].map((index) => Math.round(latencies[index] ?? 0))
    t.comment(`from the message to an answer that dig has printed: p50 ${p50} ms, p99 ${p99} ms`)
  })

  await t.test('while there is no agent, and with what is told to the next one', async (t) => {
    await node.stop()
    t.equal(await dig(gateway, '+short', `web.${environment}.bulkhead`), `${expected}\n`)
    t.equal(await dig(gateway, '+short', '+tcp', 'example.test'), '127.0.0.7\n')
    if (!withoutProxy) t.equal(await fetchInside('web'), 'web')
    const sessions = server.of('inventory').length
    node.start({ config })
    await server.until('a session', () => server.of('inventory').length > sessions)
    t.equal(await dig(gateway, '+short', `web.${environment}.bulkhead`), `${expected}\n`)
    await told('moving', 'application', [{ ...own, address: '10.1.3.1' }])
    t.equal(await dig(gateway, '+short', `moving.${environment}.bulkhead`), '10.1.3.1\n')
    if (!withoutProxy) t.equal(await fetchInside('web'), 'web')
  })

  await t.test(
    'what is too long comes over TCP, through the engine’s own resolver, too',
    async (t) => {
      const many = Array.from({ length: 100 }, (_, index) => endpoint(index))
      await told('many', 'application', many)
      for (const at of [gateway, '127.0.0.11']) {
        const lines = (await dig(at, '+short', `many.${environment}.bulkhead`)).trim().split('\n')
        t.equal(lines.length, 100, at)
        t.match(
          await dig(at, '+ignore', '+noedns', `many.${environment}.bulkhead`),
          /flags: qr aa tc rd/,
          at,
        )
      }
    },
  )
})
