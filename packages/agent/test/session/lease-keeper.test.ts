import t from 'tap'

import { LeaseKeeper } from '../../src/session/lease-keeper.ts'
import { FakeClock } from '../support/fake-clock.ts'

const leaseMs = 15_000

function keep() {
  const clock = new FakeClock()
  const seen: string[] = []
  const keeper = new LeaseKeeper({ clock, onChange: () => seen.push(keeper.standing) })
  return { clock, keeper, seen }
}

t.test('a new process has a while to be answered', async (t) => {
  const { clock, keeper, seen } = keep()
  t.equal(keeper.standing, 'presumed')
  await clock.pass(4999)
  t.equal(keeper.standing, 'presumed')
  await clock.pass(1)
  t.same(seen, ['over'])
})

t.test('answers renew it from when the heartbeat was sent', async (t) => {
  const { clock, keeper, seen } = keep()
  keeper.welcomed(leaseMs)
  keeper.assigned()
  keeper.sent(1)
  await clock.pass(3000)
  keeper.answered(1)
  await clock.pass(6999)
  t.equal(keeper.standing, 'held')
  await clock.pass(1)
  t.same(seen, ['held', 'ending'], '10 s after it was sent')
  await clock.pass(2500)
  t.same(seen, ['held', 'ending', 'over'])
  keeper.sent(2)
  keeper.answered(2)
  t.same(seen, ['held', 'ending', 'over', 'held'])
  await clock.pass(10_000)
  t.equal(seen.length, 5, 'and it runs out anew')
})

t.test('an answer that comes too late renews nothing', async (t) => {
  const { clock, keeper } = keep()
  keeper.welcomed(leaseMs)
  keeper.assigned()
  keeper.sent(1)
  await clock.pass(20_000)
  keeper.answered(1)
  t.equal(keeper.standing, 'over')
})

t.test('what was sent before the full set, or in another session, counts for nothing', async (t) => {
  const { clock, keeper } = keep()
  keeper.welcomed(leaseMs)
  await clock.pass(4000)
  keeper.sent(1)
  keeper.assigned()
  keeper.answered(1)
  await clock.pass(2000)
  t.equal(keeper.standing, 'over')
  keeper.sent(2)
  keeper.disconnected()
  keeper.answered(2)
  t.equal(keeper.standing, 'over')
  keeper.sent(3)
  keeper.answered(3)
  t.equal(keeper.standing, 'over', 'the new session has no full set yet')
})

t.test('one timer at a time, however often it is renewed', async (t) => {
  const { clock, keeper, seen } = keep()
  keeper.welcomed(leaseMs)
  keeper.assigned()
  for (let sequence = 1; sequence <= 200; sequence++) {
    keeper.sent(sequence)
    keeper.answered(sequence)
    await clock.pass(1000)
  }
  t.same(seen, ['held'])
  t.ok(clock.pendingCount <= 1)
  keeper.close()
  t.equal(clock.pendingCount, 0)
})
