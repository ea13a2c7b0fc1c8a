import type { ListenDns } from '@bulkhead/shared/dns'
import { pino } from 'pino'
import t from 'tap'

import type { Listen } from '../../src/discovery/listener.ts'
import { Networks } from '../../src/discovery/networks.ts'
import { NameService } from '../../src/dns/name-service.ts'
import { EngineError } from '../../src/engine/engine.ts'
import { Journal } from '../../src/journal/journal.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { FakeEngine } from '../support/fake-engine.ts'
import { InProcessNames } from '../support/in-process-names.ts'

const noNames: ListenDns = async (_, port) => ({ port, close: async () => {} })

function world(listen: Listen, listenDns = noNames) {
  const problems: string[] = []
  const clock = new FakeClock()
  const engine = new FakeEngine(clock)
  const logger = pino({ level: 'silent' })
  const storage = {
    read: async () => null,
    append: async () => {},
    replace: async () => {},
    setAside: async () => '',
    close: async () => {},
  }
  const journal = new Journal({ clock, logger, storage })
  const names = new NameService({
    logger,
    serving: new InProcessNames(clock, listenDns),
    forwarding: false,
    resolvConf: '',
    addresses: () => ({ isServing: false, withIpv6: false }),
    onNews: () => problems.push(names.problem),
  })
  const ending = new AbortController()
  void names.run(ending.signal)
  const networks = new Networks({
    names,
    clock,
    logger,
    engine,
    journal,
    listen,
    handler: async () => ({ status: 200, contentType: '', body: '' }),
    identity: { cluster: 'c', node: 'n' },
    discoveryPort: 7071,
    protect: async () => {},
    onBridge: () => {},
  })
  return { clock, engine, networks, names, problems }
}

const refusal = (code: string) => Object.assign(new Error(code), { code })
const listening = (port: number) => ({ port, close: async () => {} })

t.test('a network is made once', async (t) => {
  const { engine, networks } = world(async (_, port) => listening(port))
  const all = await Promise.all([1, 2, 3].map(() => networks.ensure('prod', 'data')))
  t.same(all[0], {
    name: 'bulkhead-prod-data',
    gateway: '172.20.0.1',
    fenced: ['172.20.128.0/17'],
    discovery: 'http://172.20.0.1:7071',
  })
  t.same(engine.calls, ['ensureNetwork'])
  await networks.close()
})

t.test('one that could not be made is tried again', async (t) => {
  const { engine, networks } = world(async (_, port) => listening(port))
  engine.fail('ensureNetwork', new EngineError('refused', 'no more addresses'))
  await t.rejects(networks.ensure('prod', 'data'), EngineError)
  t.match(await networks.ensure('prod', 'data'), { gateway: '172.20.0.1' })
  await networks.close()
})

t.test('when the port is taken another one is, for good', async (t) => {
  const asked: number[] = []
  const listen: Listen = async (_, port) => {
    asked.push(port)
    if (port === 7071) throw refusal('EADDRINUSE')
    return listening(port === 0 ? 41_000 : port)
  }
  const first = world(listen)
  t.match(await first.networks.ensure('prod', 'data'), { discovery: 'http://172.20.0.1:41000' })
  await first.networks.close()
  const second = world(listen)
  second.networks.restorePort('bulkhead-prod-data', 41_000)
  t.match(await second.networks.ensure('prod', 'data'), { discovery: 'http://172.20.0.1:41000' })
  t.same(asked, [7071, 0, 41_000])
  await second.networks.close()
})

t.test('containers are made without discovery, which is tried again', async (t) => {
  let isUp = false
  const bound: number[] = []
  const { clock, networks } = world(async (_, port) => {
    if (!isUp) throw refusal('EADDRNOTAVAIL')
    bound.push(port)
    return listening(port)
  })
  t.match(await networks.ensure('prod', 'data'), { discovery: 'http://172.20.0.1:7071' })
  isUp = true
  await clock.pass(2000)
  t.same(bound, [7071])
  await networks.close()
})

t.test('a network without DNS is said, tried again, and then has it', async (t) => {
  let isUp = false
  const bound: string[] = []
  const listenDns: ListenDns = async (address, port) => {
    if (!isUp) throw refusal('EADDRINUSE')
    bound.push(`${address}:${port}`)
    return listening(port)
  }
  const { clock, networks, names, problems } = world(async (_, port) => listening(port), listenDns)
  const { name } = await networks.ensure('prod', 'data')
  t.equal(networks.nameServerOn(name), null)
  const one =
    'names cannot be looked up on network bulkhead-prod-data: port 53 of 172.20.0.1 is taken by another program; let that listen only at the addresses that it needs'
  t.same(problems, [one])
  await clock.pass(2000)
  t.same(problems, [one], 'once')
  await networks.ensure('prod', 'web')
  t.match(
    names.problem,
    /^names .* on networks bulkhead-prod-data, bulkhead-prod-web: port 53 of 172/,
  )
  isUp = true
  await clock.pass(2000)
  t.equal(networks.nameServerOn(name), '172.20.0.1')
  t.same(bound, ['172.20.0.1:53'])
  t.equal(names.problem, '')
  networks.forget()
  await networks.ensure('prod', 'data')
  t.equal(bound.length, 1, 'it is not bound again')
  await names.stopOn(name)
  t.equal(networks.nameServerOn(name), null)
  await networks.close()
})
