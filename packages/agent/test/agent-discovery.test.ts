import t from 'tap'

import { question, readAnswer } from '../../shared/test/dns/support.ts'
import { Assigner, begin } from './support/assigner.ts'
import { aTable } from './support/endpoints.ts'
import { FakeWorld } from './support/fake-agent.ts'
import { assignment } from './support/templates.ts'

t.test('discovery knows who asks, and outlives the control plane', async (t) => {
  const { world, engine } = await begin(assignment())
  const endpoint = {
    instance: 'db-0-x',
    node: 'n',
    zone: 'data',
    port: 'pg',
    address: '10.0.0.2',
    hostPort: 25000,
    weight: 100,
  }
  const tables = [aTable('default/db', 'data', 5, [endpoint])]
  world.send({ kind: 'endpoints', full: true, revision: 5, tables })
  await engine.inspect('c1')
  await world.clock.pass(31_000)
  t.match(world.of('endpoints-applied'), [{ revision: 5 }])
  const ask = async (from: string, url = '/v1/discovery/default/db') =>
    world.served.get('172.20.0.1:7071')?.({ method: 'GET', url, from })
  const answer = await ask('172.20.1.1')
  t.equal(answer?.status, 200)
  t.same(JSON.parse(answer?.body ?? ''), {
    service: 'db',
    environment: 'default',
    revision: 5,
    endpoints: [endpoint],
  })
  t.match(await ask('::ffff:172.20.1.1'), { status: 200 })
  t.match(await ask('172.20.1.99'), { status: 403, contentType: 'application/problem+json' })
  t.match(await ask('172.20.1.1', '/v1/discovery/other/db'), { status: 403 })
  t.match(await ask('172.20.1.1', '/v1/discovery/default/web'), { status: 404 })
  t.match(await ask('172.20.1.1', '/nothing'), { status: 404 })
  t.match(await ask('172.20.1.99', '/healthz'), { status: 200 })
  world.reachable = false
  await world.stop()
  await world.start()
  await world.clock.pass(1000)
  t.match(await ask('172.20.1.1'), { status: 200 })
  await world.stop()
})

t.test('names are found by those who may reach them, and outlive the control plane', async (t) => {
  const { world, engine } = await begin(assignment())
  const pg = { port: 5432, protocol: 'tcp', mode: 'tcp', clientAddress: 'none' } as const
  const at = (address: string, instance: string) =>
    ({
      instance,
      node: 'n',
      zone: 'data',
      port: 'pg',
      address,
      hostPort: 25000,
      weight: 100,
    }) as const
  const tables = [
    aTable('default/db', 'data', 5, [at('10.0.0.2', 'db-0-x')], { ports: { pg } }),
    aTable('default/front', 'presentation', 5, [at('10.0.0.3', 'front-0-x')], { ports: { pg } }),
    aTable('test/db', 'data', 5, [at('10.0.0.4', 'db-0-y')], { ports: { pg } }),
  ]
  world.send({ kind: 'endpoints', full: true, revision: 5, tables })
  await engine.inspect('c1')
  await world.clock.pass(31_000)
  const ask = async (name: string, type: 'A' | 'AAAA' | 'SRV' = 'A', from = '172.20.1.1') => {
    const message = question(name, type)
    const handler = world.names.get('172.20.0.1:53')
    return readAnswer(await handler?.({ message, transport: 'udp', from }))
  }
  t.same(await ask('db.default.bulkhead'), { code: 0, answers: ['10.0.0.2'] })
  world.servesAddresses = true
  world.send({ kind: 'endpoints', full: false, revision: 6, tables: [] })
  await world.clock.pass(100)
  t.same(await ask('db.default.bulkhead'), { code: 0, answers: ['10.231.0.1'] })
  const target = 'db-0-x.db.default.bulkhead'
  t.same(await ask('_pg._tcp.db.default.bulkhead', 'SRV'), {
    code: 0,
    answers: [`${target}:25000`],
  })
  t.same(await ask(target), { code: 0, answers: ['10.0.0.2'] })
  t.same(
    await ask('front.default.bulkhead'),
    { code: 3, answers: [] },
    'a zone that it does not reach',
  )
  t.same(await ask('none.default.bulkhead'), { code: 3, answers: [] })
  t.same(await ask('db.test.bulkhead'), { code: 3, answers: [] }, 'another environment')
  t.same(
    await ask('db.default.bulkhead', 'A', '172.21.0.99'),
    { code: 5, answers: [] },
    'a stranger',
  )
  t.same(
    await ask('db.default.bulkhead', 'A', '172.20.0.1'),
    { code: 5, answers: [] },
    'the host itself',
  )
  t.same(await ask('example.com'), { code: 5, answers: [] }, 'nobody looks it up')
  t.match(engine.specs.get('c1')?.resolver, {
    servers: ['172.20.0.1'],
    search: ['default.bulkhead', 'bulkhead'],
  })
  world.reachable = false
  await world.stop()
  t.same(
    await ask('db.default.bulkhead'),
    { code: 0, answers: ['10.231.0.1'] },
    'while there is no agent',
  )
  await world.start()
  await world.clock.pass(1000)
  t.same(await ask('db.default.bulkhead'), { code: 0, answers: ['10.231.0.1'] })
  await world.stop()
})

t.test('a node without names says so when a session has begun, or at its beginning', async (t) => {
  const world = new FakeWorld()
  world.namesProblem = 'bind EADDRINUSE'
  await world.start()
  world.welcome()
  new Assigner(world).full(assignment())
  await world.clock.pass(50)
  const namesReason = /network bulkhead-default-application: bind EADDRINUSE/
  t.match(world.of('hello'), [{ facts: { network: { namesReason: '' } } }])
  t.match(world.of('facts'), [{ facts: { network: { namesReason } } }])
  world.cut()
  await world.clock.pass(5000)
  world.welcome()
  await world.clock.pass(1000)
  t.match(world.of('hello')[1], { facts: { network: { namesReason } } })
  t.equal(world.of('facts').length, 1, 'not twice')
  t.equal(world.of('inventory').length, 2)
  await world.stop()
})
