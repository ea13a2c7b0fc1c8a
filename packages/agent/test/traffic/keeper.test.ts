import { pino } from 'pino'
import t from 'tap'

import { Journal } from '../../src/journal/journal.ts'
import type { Traffic } from '../../src/traffic/consumer.ts'
import { TrafficKeeper } from '../../src/traffic/keeper.ts'
import { aPolicy, aTable } from '../support/endpoints.ts'
import { FakeClock } from '../support/fake-clock.ts'

const logger = pino({ level: 'silent' })

interface Offered {
  readonly traffic: Traffic
  readonly done: PromiseWithResolvers<void>
}

/** Goes by what it is offered when the test says so. */
function slowConsumer(name: string) {
  const offered: Offered[] = []
  const serve = (traffic: Traffic): Promise<void> => {
    const done = Promise.withResolvers<void>()
    offered.push({ traffic, done })
    return done.promise
  }
  return { name, serve, offered }
}

function begin({ hasGate = false, hasNames = false } = {}) {
  const clock = new FakeClock()
  const storage = {
    read: async () => null,
    append: async () => {},
    replace: async () => {},
    setAside: async () => '',
    close: async () => {},
  }
  const journal = new Journal({ clock, logger, storage })
  const served: number[] = []
  const slow = slowConsumer('slow')
  const kernel = slowConsumer('kernel')
  const onServed = (revision: number): void => void served.push(revision)
  const gate = hasGate ? kernel : null
  const followers = slowConsumer('names')
  const names = hasNames ? followers : null
  const keeper = new TrafficKeeper({
    clock,
    logger,
    journal,
    gate,
    consumers: [slow],
    names,
    onServed,
  })
  const put = (revision: number, ...services: string[]): void => {
    const tables = services.map((service) => aTable(service, 'data', revision, []))
    keeper.apply({ kind: 'endpoints', full: false, revision, tables })
  }
  return {
    clock,
    keeper,
    offered: slow.offered,
    gated: kernel.offered,
    named: followers.offered,
    served,
    put,
  }
}

t.test(
  'a revision counts as served when all go by it; the latest overtakes what waits',
  async (t) => {
    const { clock, offered, served, put } = begin()
    put(5, 'prod/a')
    put(6, 'prod/b')
    put(7, 'prod/a')
    t.equal(offered.length, 1, 'one at a time')
    t.same(served, [])
    offered[0]?.done.resolve()
    await clock.pass(1)
    t.equal(offered.length, 2)
    t.equal(offered[1]?.traffic.revision, 7)
    t.same([...(offered[1]?.traffic.tables.keys() ?? [])], ['prod/a', 'prod/b'])
    offered[1]?.done.resolve()
    await clock.pass(1)
    t.same(served, [5, 7])
    t.equal(offered.length, 2, 'then it rests')
  },
)

t.test('who failed is asked again, and nothing is acknowledged before', async (t) => {
  const { clock, offered, served, put } = begin()
  put(5, 'prod/a')
  offered[0]?.done.reject(new Error('no'))
  await clock.pass(500)
  t.equal(offered.length, 1)
  await clock.pass(600)
  t.equal(offered.length, 2)
  t.same(served, [])
  put(6, 'prod/a')
  offered[1]?.done.reject(new Error('no'))
  await clock.pass(1)
  t.equal(offered[2]?.traffic.revision, 6, 'something newer is offered at once')
  offered[2]?.done.resolve()
  await clock.pass(1)
  t.same(served, [6])
})

t.test('rules go to everybody without being acknowledged as tables', async (t) => {
  const { clock, keeper, offered, served } = begin()
  keeper.setPolicy(aPolicy({ application: ['data'] }))
  offered[0]?.done.resolve()
  await clock.pass(1)
  t.same(served, [])
  t.same(keeper.reaches, { application: ['application', 'data'] })
})

t.test('who fails for long is asked once at a time, however much is new meanwhile', async (t) => {
  const { clock, offered, put } = begin()
  const refuse = async (from: number): Promise<number> => {
    for (let index = from; index < offered.length; index++) {
      offered[index]?.done.reject(new Error('no'))
      await clock.pass(1)
    }
    return offered.length
  }
  let asked = 0
  for (let revision = 1; revision <= 20; revision++) {
    put(revision, 'prod/a')
    asked = await refuse(asked)
    await clock.pass(40)
  }
  const before = asked
  for (let passed = 0; passed < 300; passed++) {
    await clock.pass(10)
    asked = await refuse(asked)
  }
  t.ok(asked - before <= 3, `${asked - before} times in 3 s`)
})

t.test('a consumer that hangs keeps nothing from the kernel', async (t) => {
  const { clock, keeper, offered, gated, served, put } = begin({ hasGate: true })
  put(5, 'prod/a')
  gated[0]?.done.resolve()
  await clock.pass(1)
  keeper.setPolicy(aPolicy({ application: [] }))
  t.same(gated[1]?.traffic.policy?.zones, aPolicy({ application: [] }).zones, 'at once')
  gated[1]?.done.resolve()
  put(6, 'prod/a')
  await clock.pass(1)
  t.equal(gated[2]?.traffic.revision, 6)
  gated[2]?.done.resolve()
  await clock.pass(1)
  t.equal(offered.length, 1, 'the other one still has the first')
  t.same(served, [], 'and nothing is acknowledged without it')
  offered[0]?.done.resolve()
  await clock.pass(1)
  t.same(served, [5])
  t.equal(offered[1]?.traffic.revision, 6, 'then it gets the latest')
  offered[1]?.done.resolve()
  await clock.pass(1)
  t.same(served, [5, 6])
})

t.test('names are told when the kernel has let them through', async (t) => {
  const { clock, keeper, offered, gated, named, served, put } = begin({
    hasGate: true,
    hasNames: true,
  })
  keeper.restore([aTable('prod/old', 'data', 3, [])], aPolicy({ application: ['data'] }))
  t.same([...keeper.tables.keys()], ['prod/old'], 'what was there before is known from the start')
  gated[0]?.done.resolve()
  await clock.pass(1)
  put(5, 'prod/a')
  await clock.pass(1)
  t.same([...keeper.tables.keys()], ['prod/old'], 'not yet')
  gated[1]?.done.resolve()
  await clock.pass(1)
  t.same([...keeper.tables.keys()], ['prod/old', 'prod/a'])
  named[0]?.done.resolve()
  await clock.pass(1)
  t.equal(named[1]?.traffic.revision, 5)
  put(6, 'prod/b')
  gated[2]?.done.reject(new Error('no'))
  await clock.pass(1)
  t.ok(keeper.tables.has('prod/b'), 'a kernel that refuses does not keep names from being known')
  gated[3]?.done.resolve()
  for (const { done } of offered) done.resolve()
  await clock.pass(2000)
  for (const { done } of [...gated, ...offered]) done.resolve()
  await clock.pass(1)
  t.notOk(served.includes(6), 'they are waited for')
  named[1]?.done.resolve()
  await clock.pass(1)
  named[2]?.done.resolve()
  await clock.pass(1)
  t.equal(served.at(-1), 6)
})

t.test('revisions may begin anew', async (t) => {
  const { clock, offered, gated, served, put } = begin({ hasGate: true })
  put(100, 'prod/a')
  gated[0]?.done.resolve()
  offered[0]?.done.resolve()
  await clock.pass(1)
  put(7, 'prod/a')
  gated[1]?.done.resolve()
  await clock.pass(1)
  t.same(served, [100], 'one has not got that far')
  offered[1]?.done.resolve()
  await clock.pass(1)
  t.same(served, [100, 7])
})
