import { pino } from 'pino'
import t from 'tap'

import { Enforcement } from '../../src/network/enforcement.ts'
import { whyNotEnforced } from '../../src/network/nft.ts'
import { FakeClock } from '../support/fake-clock.ts'

function begin(first: string) {
  const clock = new FakeClock()
  const controller = new AbortController()
  const world = { reason: first, looks: 0, failsOnce: false, news: [] as string[] }
  const machine = {
    whyUnenforced: async () => {
      world.looks += 1
      if (world.failsOnce) {
        world.failsOnce = false
        return 'nft was killed'
      }
      return world.reason
    },
  }
  const enforcement: Enforcement = new Enforcement(
    {
      clock,
      logger: pino({ level: 'silent' }),
      machine,
      onNews: () => world.news.push(enforcement.reason),
    },
    first,
  )
  const running = enforcement.run(controller.signal)
  return { clock, world, enforcement, stop: () => (controller.abort(), running) }
}

async function seconds(clock: FakeClock, count: number): Promise<void> {
  for (let passed = 0; passed < count; passed++) await clock.pass(1000)
}

t.test(
  'a kernel that does not hold zones any more is told of, and what it cannot guard is refused',
  async (t) => {
    const { clock, world, enforcement, stop } = begin('')
    await seconds(clock, 60)
    t.same(world.news, [])
    world.failsOnce = true
    await seconds(clock, 35)
    t.notOk(world.failsOnce)
    t.same(world.news, [], 'once is no news')
    world.reason = 'there is no nft on this machine'
    await seconds(clock, 35)
    t.same(world.news, ['there is no nft on this machine'])
    t.ok(enforcement.isOn, 'there are rules to keep')
    world.reason = ''
    await Promise.all([enforcement.look(), enforcement.look(), enforcement.look()])
    t.same(world.news, ['there is no nft on this machine', ''])
    t.equal(world.looks, 7, 'looks at the same time are one')
    await stop()
  },
)

t.test('one that could not at the start may learn to', async (t) => {
  const { clock, world, enforcement, stop } = begin('there is no nft')
  t.notOk(enforcement.isOn)
  world.reason = ''
  await seconds(clock, 31)
  t.ok(enforcement.isOn)
  t.same(world.news, [''])
  await stop()
})

t.test('a machine without nft says what to install', async (t) => {
  const missing = Object.assign(new Error('spawn nft ENOENT'), { code: 'ENOENT' })
  const run = async (): Promise<void> => Promise.reject(missing)
  const reason = await whyNotEnforced({ list: async () => null, run, follow: async () => {} })
  t.equal(reason, 'there is no nft on this machine: install the package nftables')
})
