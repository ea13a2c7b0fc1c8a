import { readlinkSync } from 'node:fs'
import { join } from 'node:path'

import { t as tap, test } from 'tap'

import { startCluster, waitConverged } from '../cluster/cluster.ts'
import { running, witness } from '../cluster/witness.ts'
import { waitFor } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { lacks } from './support.ts'

const skip = whyNotEngines() ?? lacks('dig', 'dnsutils')
const timeout = 240_000
tap.setTimeout(timeout)

const awayMs = 4000
const name = 'api.prod.bulkhead'

const documents = (image: string, replicas: number): string => `
apiVersion: bulkhead/v1
kind: Service
name: api
environment: prod
zone: application
image: ${image}
replicas: ${replicas}
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 64Mi }
---
apiVersion: bulkhead/v1
kind: Service
name: client
environment: prod
zone: presentation
image: ${image}
ports: { http: 8080 }
resources: { cpu: 0.1, memory: 64Mi }
`

void test('containers find names whatever becomes of their agent', { skip, timeout }, async (t) => {
  await using cluster = await startCluster({ agents: [{ zones: ['presentation', 'application'] }] })
  const { hosts } = cluster
  const host = hosts.host(1)
  const [echo] = hosts.images.echo
  const apply = (replicas: number) =>
    cluster.run(['apply', '-f', '-', '--wait', '--timeout', '60s'], documents(echo, replicas))
  await apply(1)
  const client = running(await witness([host])).find(({ service }) => service === 'prod/client')
  const { State } = await host.docker.getContainer(client?.id ?? '').inspect()

  /** One look-up by a program in the container's network, through the engine's resolver there. */
  const lookUp = async (...argv: readonly string[]): Promise<readonly string[]> => {
    const call = ['nsenter', '--net', `--target=${State.Pid}`, 'dig', '@127.0.0.11', '+short']
    const text = await host.run([...call, '+tries=1', '+time=1', ...argv]).catch(String)
    return text.trim().split('\n').filter(Boolean)
  }
  const services = async (): Promise<number> => (await lookUp(`_http._tcp.${name}`, 'SRV')).length

  /** Looks up for so long; what was answered otherwise than at the beginning. */
  const lookedUp = async (forMs: number): Promise<{ count: number; wrong: string[] }> => {
    const [expected] = [await lookUp(name)]
    const untilMs = performance.now() + forMs
    const wrong: string[] = []
    let count = 0
    for (; performance.now() < untilMs; count++) {
      for (const transport of ['+notcp', '+tcp']) {
        const answer = (await lookUp(transport, name)).join(' ')
        if (answer !== expected.join(' ') || answer === '') wrong.push(answer)
      }
    }
    return { count, wrong }
  }
  const namesPid = (): number => {
    const link = readlinkSync(join(host.directory, 'agent', 'names', 'process'))
    return Number(link.split(' ')[0])
  }

  t.match(await lookUp(name), [/^10\.\d+\.\d+\.\d+$/])
  await waitFor('one endpoint', 10_000, async () => (await services()) === 1)

  await t.test('it is killed, and stays away', async (t) => {
    const pid = namesPid()
    cluster.agent(1).kill('SIGKILL')
    const { count, wrong } = await lookedUp(awayMs)
    t.ok(count > 5, `${count} look-ups`)
    t.same(wrong, [])
    await cluster.startAgent(1)
    await apply(2)
    await waitFor('the change to be known', 10_000, async () => (await services()) === 2)
    t.equal(namesPid(), pid, 'the same process serves on')
  })

  await t.test('it is frozen', async (t) => {
    cluster.agent(1).kill('SIGSTOP')
    const { count, wrong } = await lookedUp(awayMs)
    cluster.agent(1).kill('SIGCONT')
    t.ok(count > 5, `${count} look-ups`)
    t.same(wrong, [])
    await waitConverged(cluster, 60_000)
    await apply(1)
    await waitFor('the change to be known', 10_000, async () => (await services()) === 1)
  })

  await t.test('what serves names is killed itself', async (t) => {
    const pid = namesPid()
    await host.run(['kill', '-9', String(pid)])
    const sinceMs = performance.now()
    await waitFor('an answer', 10_000, async () => (await lookUp(name)).length === 1)
    const tookMs = Math.round(performance.now() - sinceMs)
    t.comment(`an answer after ${tookMs} ms`)
    t.ok(tookMs < 5000)
    t.not(namesPid(), pid)
  })

  await t.test('its node leaves the cluster', async (t) => {
    const pid = namesPid()
    await cluster.run(['delete', 'service', 'api', '-e', 'prod'])
    await cluster.run(['delete', 'service', 'client', '-e', 'prod'])
    await waitConverged(cluster, 60_000)
    await cluster.run(['node', 'drain', 'host1', '--wait'])
    await cluster.run(['node', 'remove', 'host1'])
    const isThere = () => host.run(['sh', '-c', `kill -0 ${pid} && echo yes || true`])
    await waitFor('its end', 10_000, async () => (await isThere()).trim() !== 'yes')
    t.pass()
  })
})

void test('a host without IPv6 offers none of it by name', { skip, timeout }, async (t) => {
  await using cluster = await startCluster({ agents: [{ zones: ['presentation', 'application'] }] })
  const { hosts } = cluster
  const host = hosts.host(1)
  await host.run(['sysctl', '-w', 'net.ipv6.conf.all.disable_ipv6=1'])
  const restart = async (): Promise<void> => {
    const agent = cluster.agent(1)
    agent.kill('SIGKILL')
    await agent.exited
    await cluster.startAgent(1)
  }
  await restart()
  const [echo] = hosts.images.echo
  await cluster.run(['apply', '-f', '-', '--wait', '--timeout', '60s'], documents(echo, 1))
  const client = running(await witness([host])).find(({ service }) => service === 'prod/client')
  const { State } = await host.docker.getContainer(client?.id ?? '').inspect()
  const within = (...argv: readonly string[]): Promise<string> =>
    host.run(['nsenter', '--net', `--target=${State.Pid}`, ...argv]).catch(String)
  const lookUp = (...argv: readonly string[]): Promise<string> =>
    within('dig', '@127.0.0.11', '+tries=1', '+time=1', ...argv)
  const program = `fetch(process.argv[1], { signal: AbortSignal.timeout(3000) }).then((answer) => console.log(answer.status), (error) => console.log(String(error.cause ?? error)))`
  const connects = async (): Promise<string> => {
    const address = (await lookUp('+short', name)).trim()
    return (await within(process.execPath, '-e', program, `http://${address}:8080/who`)).trim()
  }
  t.match(await lookUp('+short', name), /^10\.231\.\d+\.\d+\n$/)
  t.match(await lookUp(name, 'AAAA'), /status: NOERROR[^]*ANSWER: 0, AUTHORITY: 1/)
  t.equal(await connects(), '200')

  await t.test('also while and after its agent is restarted', async (t) => {
    const over = new AbortController()
    const wrong: string[] = []
    let count = 0
    const trying = (async () => {
      for (; !over.signal.aborted; count++) {
        const heard = await connects()
        if (heard !== '200') wrong.push(heard)
        const six = await lookUp('+short', name, 'AAAA')
        if (six.trim() !== '') wrong.push(six)
      }
    })()
    for (let round = 0; round < 3; round++) {
      await restart()
      const isReady = async () => (await cluster.nodes())[0]?.state === 'ready'
      await waitFor('the node', 20_000, isReady)
      await cluster.run(['scale', 'api', '-e', 'prod', '--replicas', String(2 - (round % 2))])
      await waitConverged(cluster, 60_000)
    }
    over.abort()
    await trying
    t.ok(count > 5, `${count} requests`)
    t.same(wrong, [])
  })
})
