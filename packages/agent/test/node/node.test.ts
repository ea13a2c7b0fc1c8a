import { spawn } from 'node:child_process'
import { mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import t from 'tap'

import { runAgent } from '../../src/main.ts'
import { chooseAddress } from '../../src/node/address.ts'
import { lockData } from '../../src/node/data-lock.ts'
import { nodeFacts, unknownEngine } from '../../src/node/facts.ts'
import { readIdentity, writeIdentity } from '../../src/node/identity.ts'
import { joinCluster } from '../../src/node/join.ts'
import { defaultTuning, mergeSettings, readConfig } from '../../src/node/settings.ts'
import { FakeServer } from '../support/fake-server.ts'

async function directory(t: { teardown(run: () => Promise<void>): void }): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'bulkhead-agent-'))
  t.teardown(() => rm(path, { recursive: true }))
  return path
}

const identity = {
  server: 'http://cp:7070',
  token: 'secret',
  cluster: 'c',
  node: 'n1',
  zones: ['data'],
  environments: ['prod'],
  labels: { rack: 'r1', disk: 'ssd' },
  host: 'h1',
  docker: 'unix:///run/docker.sock',
  address: '10.0.0.1',
}

t.test('a data directory has one agent', async (t) => {
  const data = await directory(t)
  const lock = await lockData(data)
  await t.rejects(lockData(data), {
    code: 'conflict',
    message: new RegExp(`process ${process.pid}`),
  })
  await lock.release()
  const again = await lockData(data)
  await again.release()
})

t.test('the lock of a process that was killed is taken over, by one', async (t) => {
  const data = await directory(t)
  const script = `import { lockData } from ${JSON.stringify(new URL('../../src/node/data-lock.ts', import.meta.url).href)}
    await lockData(${JSON.stringify(data)}); console.log('locked'); setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await t.rejects(lockData(data), { code: 'conflict' })
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
  const results = await Promise.allSettled([1, 2, 3, 4].map(() => lockData(data)))
  t.equal(results.filter(({ status }) => status === 'fulfilled').length, 1)
})

t.test('a data directory is claimed though no file can be written', async (t) => {
  const data = await directory(t)
  const script = `import { lockData } from ${JSON.stringify(new URL('../../src/node/data-lock.ts', import.meta.url).href)}
    await lockData(${JSON.stringify(data)}); console.log('locked'); setInterval(() => {}, 1000)`
  // To the process, files that may not grow are what a full disk is.
  const argv = ['-c', 'ulimit -f 0; exec "$@"', 'sh', process.execPath, '--input-type=module', '-e', script]
  const child = spawn('sh', argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const closed = new Promise((resolve) => child.once('close', resolve))
  const said = await Promise.race([new Promise((resolve) => child.stdout.once('data', resolve)), closed])
  t.equal(String(said), 'locked\n')
  await t.rejects(lockData(data), { code: 'conflict', message: new RegExp(`process ${child.pid}`) })
  child.kill('SIGKILL')
  await closed
})

t.test('the lock of an older agent, which is a file, counts as well', async (t) => {
  const data = await directory(t)
  const [, fields = ''] = /\) (.*)$/s.exec(await readFile(`/proc/${process.pid}/stat`, 'utf8')) ?? []
  await writeFile(join(data, 'lock'), `${process.pid} ${fields.split(' ')[19]}\n`)
  await t.rejects(lockData(data), { code: 'conflict', message: new RegExp(`process ${process.pid}`) })
  await writeFile(join(data, 'lock'), `${process.pid} 1\n`)
  const lock = await lockData(data)
  await lock.release()
})

t.test('identity', async (t) => {
  const data = await directory(t)
  t.equal(await readIdentity(data), null)
  await writeIdentity(data, identity)
  t.same(await readIdentity(data), identity)
  t.equal((await stat(join(data, 'agent.yaml'))).mode & 0o777, 0o600)
  await writeFile(join(data, 'agent.yaml'), 'server: 5\n')
  await t.rejects(readIdentity(data), { code: 'bad-usage', message: /agent\.yaml/ })
  await writeFile(join(data, 'agent.yaml'), '{')
  await t.rejects(readIdentity(data), { code: 'bad-usage' })
})

t.test('settings: options win over the file, the file over what is remembered', async (t) => {
  const data = '/data'
  t.match(mergeSettings({ data }, {}, identity), {
    ...settingsOf(identity),
    joinToken: null,
    name: 'n1',
  })
  const file = { zones: ['application'], address: '10.0.0.2', tuning: { startsAtOnce: 3 } }
  t.match(mergeSettings({ data, address: '10.0.0.3' }, file, identity), {
    zones: ['application'],
    address: '10.0.0.3',
    environments: ['prod'],
    tuning: { ...defaultTuning, startsAtOnce: 3 },
  })
  t.match(mergeSettings({ data, zones: [], labels: {} }, {}, identity), {
    zones: ['data'],
    labels: { rack: 'r1' },
  })
  t.match(mergeSettings({ data, labels: { a: 'b' } }, {}, identity).labels, {
    a: 'b',
    rack: undefined,
  })
  t.match(mergeSettings({ data }, {}, null), {
    docker: 'unix:///var/run/docker.sock',
    server: null,
  })
  const refused = (options: object) => () => mergeSettings({ data, ...options }, {}, identity)
  t.throws(refused({ name: 'n2' }), { code: 'bad-usage', message: /belongs to node n1/ })
  t.throws(refused({ server: 'cp:7070' }), { code: 'bad-usage', message: /--server cp:7070/ })
  t.throws(refused({ docker: 'tcp://x' }), { code: 'bad-usage' })
})

function settingsOf({
  server,
  zones,
  environments,
  labels,
  host,
  docker,
  address,
}: typeof identity) {
  return { server, zones, environments, labels, host, docker, address }
}

t.test('the configuration file', async (t) => {
  const path = join(await directory(t), 'agent.yaml')
  t.same(await readConfig(undefined), {})
  await writeFile(path, 'zones: [data]\ntuning: { preparedSuccessors: 0 }\n')
  t.same(await readConfig(path), { zones: ['data'], tuning: { preparedSuccessors: 0 } })
  await writeFile(path, '')
  t.same(await readConfig(path), {})
  for (const text of ['zone: data', 'tuning: { startsAtOnce: 0 }', 'zones: data', '{', '[]']) {
    await writeFile(path, text)
    await t.rejects(readConfig(path), { code: 'bad-usage' }, text)
  }
  await t.rejects(readConfig(`${path}.none`), { code: 'bad-usage', message: /cannot be read/ })
})

t.test('the address that others reach', async (t) => {
  const routes = [
    'Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT',
    'eth1\t00000000\t0101A8C0\t0003\t0\t0\t200\t00000000\t0\t0\t0',
    'eth0\t00000000\t0100000A\t0003\t0\t0\t100\t00000000\t0\t0\t0',
    'eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0',
  ].join('\n')
  const at = (address: string, family: 'IPv4' | 'IPv6' = 'IPv4') =>
    [{ address, family, netmask: '', mac: '', internal: false, cidr: null, scopeid: 0 }] as never
  const all = { eth0: at('10.0.0.7'), eth1: at('192.168.1.7'), docker0: at('172.17.0.1') }
  t.equal(chooseAddress(routes, all), '10.0.0.7')
  t.equal(chooseAddress('', all), '172.17.0.1')
  t.equal(
    chooseAddress(routes, { eth0: at('fe80::1', 'IPv6'), docker0: at('172.17.0.1') }),
    '172.17.0.1',
  )
  t.equal(chooseAddress('', {}), null)
})

t.test('facts', async (t) => {
  t.match(nodeFacts(identity, unknownEngine), {
    address: '10.0.0.1',
    labels: { disk: 'ssd' },
    domain: { provider: null, site: null, rack: 'r1', host: 'h1' },
    engine: null,
  })
})

t.test('joining', async (t) => {
  const server = new FakeServer()
  const url = await server.listen()
  const request = {
    server: url,
    joinToken: 'join-token',
    name: 'n1',
    facts: nodeFacts(identity, unknownEngine),
  }
  t.same(await joinCluster(request), { token: 'node-token', node: 'node1', cluster: 'test' })
  t.match(server.joins[0], {
    token: 'Bearer join-token',
    body: { name: 'n1', facts: { address: '10.0.0.1' } },
  })
  await t.rejects(joinCluster({ ...request, joinToken: 'x' }), {
    code: 'not-authenticated',
    exitCode: 3,
    message: 'the token is not known',
  })
  await t.rejects(joinCluster({ ...request, name: 'taken' }), { code: 'conflict', exitCode: 3 })
  await server.close()
  await t.rejects(joinCluster(request), {
    code: 'unreachable',
    exitCode: 4,
    message: /ECONNREFUSED/,
  })
})

t.test('an agent that cannot begin says why, and leaves nothing locked', async (t) => {
  const data = join(await directory(t), 'deep', 'data')
  const { signal } = new AbortController()
  await t.rejects(runAgent({ data }, signal), { code: 'bad-usage', message: /has joined/ })
  const options = { data, server: 'http://127.0.0.1:1', token: 'x', name: 'n', address: '10.0.0.1' }
  await t.rejects(runAgent({ ...options, docker: 'unix:///nonexistent.sock' }, signal), {
    code: 'unreachable',
    message: /nonexistent/,
  })
  t.equal((await stat(data)).mode & 0o777, 0o700)
  await t.rejects(readlink(join(data, 'lock')), { code: 'ENOENT' })
  const file = join(await directory(t), 'file')
  await writeFile(file, '')
  await t.rejects(runAgent({ data: file }, signal), { code: 'bad-usage', message: /--data/ })
})
