import { pino } from 'pino'
import t from 'tap'

import { Journal } from '../../src/journal/journal.ts'
import type { Traffic } from '../../src/traffic/consumer.ts'
import { TrafficKeeper } from '../../src/traffic/keeper.ts'
import { aPolicy, aTable } from '../support/endpoints.ts'
import { FakeClock } from '../support/fake-clock.ts'

const logger = pino({ level: 'silent' })

function begin() {
  const clock = new FakeClock()
  const storage = {
    read: async () => null,
    append: async () => {},
    replace: async () => {},
    setAside: async () => '',
    close: async () => {},
  }
  const journal = new Journal({ clock, logger, storage })
  const offered: { traffic: Traffic; done: PromiseWithResolvers<void> }[] = []
  const served: number[] = []
  const slow = {
    name: 'slow',
    serve: (traffic: Traffic): Promise<void> => {
      const done = Promise.withResolvers<void>()
      offered.push({ traffic, done })
      return done.promise
    },
  }
  const onServed = (revision: number): void => void served.push(revision)
  const keeper = new TrafficKeeper({ clock, logger, journal, consumers: [slow], onServed })
  const put = (revision: number, ...services: string[]): void => {
    const tables = services.map((service) => aTable(service, 'data', revision, []))
    keeper.apply({ kind: 'endpoints', full: false, revision, tables })
  }
  return { clock, keeper, offered, served, put }
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
