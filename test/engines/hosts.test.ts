import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'

import { t as suite, test } from 'tap'

import { waitFor } from './command.ts'
import { pull, startContainer } from './containers.ts'
import { sweep } from './demolish.ts'
import { createHosts, type Hosts, withHosts } from './hosts.ts'
import { findLeftovers } from './leftovers.ts'
import { whyNotEngines } from './skip.ts'

const skip = whyNotEngines() ?? false
const timeout = 180_000
const webPort = 20_080
suite.setTimeout(600_000)

async function get(address: string, path: string, timeoutMs = 2000): Promise<string> {
  const signal = AbortSignal.timeout(timeoutMs)
  const response = await fetch(`http://${address}:${webPort}${path}`, { signal })
  return response.text()
}

async function isReachable(address: string): Promise<boolean> {
  return get(address, '/healthz', 500).then(
    () => true,
    () => false,
  )
}

async function startServers({ hosts, images }: Hosts): Promise<void> {
  const [image] = images.serve
  await Promise.all(
    hosts.map(async ({ docker, name }) => {
      await pull(docker, image)
      const env = { BULKHEAD_NODE: name }
      const container = await startContainer(docker, image, { env, publish: { 8080: webPort } })
      return container
    }),
  )
  await waitFor('all servers to answer', 10_000, async () => {
    const answers = await Promise.all(hosts.map(({ address }) => isReachable(address)))
    return answers.every(Boolean)
  })
}

await test('hosts with engines', { skip, timeout }, async (t) => {
  const leftBefore = new Set<string>()
  let number = 0
  {
    await using cluster = await createHosts({ count: 3, registry: true })
    number = cluster.number
    const [one, two, three] = [cluster.host(1), cluster.host(2), cluster.host(3)]

    const engines = await Promise.all(cluster.hosts.map(async (host) => host.docker.info()))
    t.strictSame(
      engines.map((info) => info.Name),
      ['host1', 'host2', 'host3'],
      'every host has a name of its own',
    )
    t.equal(new Set(engines.map((info) => info.ID)).size, 3, 'every engine has an id of its own')

    await startServers(cluster)
    const answer = await get(two.address, '/cgi-bin/who')
    t.match(JSON.parse(answer), { node: 'host2', version: '1' }, 'published ports work')
    const url = `http://${one.address}:${webPort}/cgi-bin/who`
    const across = await three.run(['busybox', 'wget', '-q', '-O', '-', url])
    t.match(JSON.parse(across), { node: 'host1' }, 'hosts reach each other')

    await two.cut()
    t.notOk(await isReachable(two.address), 'a host that is cut off is not reached')
    t.equal((await two.docker.listContainers()).length, 1, 'its engine is still seen by us')
    await two.restore()
    await waitFor('host2 to be back', 5000, async () => isReachable(two.address))

    await two.dropFrom(cluster.address)
    t.notOk(await isReachable(two.address), 'packets from one address are dropped')
    const other = `http://${two.address}:${webPort}/healthz`
    t.equal(await one.run(['busybox', 'wget', '-q', '-O', '-', other]), 'ok\n', 'others are not')
    await two.clearDrops()
    await waitFor('host2 to be reached again', 5000, async () => isReachable(two.address))

    await two.dropToOutside()
    t.notOk(await isReachable(two.address), 'packets in the other direction are dropped')
    await three.dropToOutside()
    await two.clearDrops()
    await waitFor('host2 to be reached again', 5000, async () => isReachable(two.address))
    t.notOk(await isReachable(three.address), 'each host for itself')

    for (const left of await findLeftovers(number)) leftBefore.add(left)
  }
  t.ok(leftBefore.size > 10, 'leftovers are found while there are some')
  t.strictSame(await findLeftovers(number), [], 'nothing is left')
})

await test('processes and engines that end', { skip, timeout }, async (t) => {
  await using cluster = await createHosts({ count: 1, registry: true })
  const host = cluster.host(1)
  const script = "trap 'echo bye; exit 7' TERM; echo $GREETING; while :; do sleep 0.05; done"
  const process1 = await host.exec(['sh', '-c', script], { env: { GREETING: 'hello' } })
  await waitFor('the greeting', 5000, () => process1.output().includes('hello'))
  process1.kill()
  t.strictSame(await process1.exited, { code: 7, signal: null }, 'a signal reaches the process')
  t.match(process1.output(), 'bye')

  const frozen = await host.exec(['sleep', '600'])
  frozen.kill('SIGSTOP')
  await waitFor('it to be frozen', 5000, () => / T /.test(readFileSync(`/proc/${frozen.pid}/stat`, 'utf8')))
  frozen.kill('SIGKILL')
  await frozen.exited
  t.pass('a frozen process can be killed, and is seen to end')

  const outside = cluster.exec(['sh', '-c', 'echo outside; exit 3'])
  t.strictSame(await outside.exited, { code: 3, signal: null }, 'processes outside work too')
  t.match(cluster.logs(), 'outside', 'and are in the logs')

  await startServers(cluster)
  await host.killEngine()
  await waitFor('the container, which outlives it', 5000, async () => isReachable(host.address))
  await t.rejects(host.docker.ping(), 'a killed engine does not answer')
  await host.startEngine()
  t.equal((await host.docker.info()).Name, 'host1', 'and can be started again')

  const process2 = await host.exec(['sleep', '600'])
  const process3 = cluster.exec(['sleep', '600'])
  await host.powerOff()
  t.notOk(host.isOn())
  t.strictSame(await process2.exited, { code: null, signal: 'SIGKILL' }, 'all ends at power-off')
  t.notOk(await isReachable(host.address), 'containers too')
  await t.rejects(host.exec(['true']), /is off/)
  await host.startEngine()
  const containers = await host.docker.listContainers({ all: true })
  t.equal(containers.length, 1, 'the disk is still there')
  t.not(containers[0]?.State, 'running', 'the container no longer runs')
  await cluster[Symbol.asyncDispose]()
  t.strictSame(await process3.exited, { code: null, signal: 'SIGKILL' }, 'outside ends at the end')
})

await test('a registry with a password', { skip, timeout }, async (t) => {
  const credentials = { username: 'reader', password: 'secret' }
  await using cluster = await createHosts({ count: 1, registry: credentials })
  const { docker } = cluster.host(1)
  await t.rejects(pull(docker, cluster.images.idle), 'refuses those who have none')
  await pull(docker, cluster.images.idle, credentials)
  const { RepoDigests } = await docker.getImage(cluster.images.idle).inspect()
  const digest = await cluster.registry.digestOf('test/busybox:idle')
  t.match(RepoDigests?.[0], digest, 'the digest is the one that the registry names')
})

await test('a run that is killed', { skip, timeout }, async (t) => {
  const program = `
    import { createHosts } from ${JSON.stringify(import.meta.resolve('./hosts.ts'))}
    const { number } = await createHosts({ count: 1 })
    process.stdout.write(String(number))
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [output] = await once(child.stdout, 'data')
  const number = Number(output)
  child.kill('SIGKILL')
  await once(child, 'exit')
  await waitFor('its processes to end', 10_000, async () => {
    const left = await findLeftovers(number)
    return left.every((item) => !item.includes('process'))
  })
  await sweep()
  // Another run on this machine may be the one that sweeps.
  await waitFor('its bridge and its folder to be cleared away', 10_000, async () => {
    const left = await findLeftovers(number)
    return left.length === 0
  })
  t.pass('leaves nothing once another run begins')
})

await test('runs at the same time', { skip, timeout }, async (t) => {
  const clusters = await Promise.all([createHosts({ count: 1 }), createHosts({ count: 1 })])
  t.equal(new Set(clusters.map(({ number }) => number)).size, 2, 'each has a subnet of its own')
  await Promise.all(clusters.map(async (cluster) => cluster[Symbol.asyncDispose]()))
})

await test('logs of a failure', { skip, timeout }, async (t) => {
  const written: string[] = []
  t.intercept(process.stderr, 'write', { value: (text: string) => written.push(text) > 0 })
  const failing = withHosts(t, { count: 1 }, async (hosts) => {
    const hint = await hosts.host(1).exec(['echo', 'a hint'])
    await hint.exited
    throw new Error('as expected')
  })
  await t.rejects(failing, /as expected/)
  t.match(written.join(''), 'a hint', 'are shown')
})
