import t from 'tap'

import type { LeaseTimes } from '../../src/core/lease.ts'
import { LeaseKeeper } from '../../src/session/lease-keeper.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { noFence } from '../support/no-fence.ts'

const leaseMs = 15_000

function keep() {
  const clock = new FakeClock()
  const seen: string[] = []
  const told: LeaseTimes[] = []
  const keeper = new LeaseKeeper({
    clock,
    onChange: () => seen.push(keeper.standing),
    onRenewed: (times) => told.push(times),
    fence: noFence,
  })
  return { clock, keeper, seen, told }
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

t.test('a process that is started anew has no more of it than the one before was left', async (t) => {
  const before = keep()
  before.keeper.welcomed(leaseMs)
  before.keeper.assigned()
  before.keeper.sent(1)
  before.keeper.answered(1)
  const [times = { signalAtMs: 0, killAtMs: 0 }] = before.told
  const after = keep()
  const leftMs = times.signalAtMs - before.clock.monotonicMs()
  t.equal(leftMs, 10_000)
  after.keeper.restore(times)
  t.equal(after.keeper.standing, 'presumed', 'it may run on, for no longer than any new process')
  await after.clock.pass(5000)
  t.same(after.seen, ['over'])
  const late = keep()
  late.keeper.restore({ signalAtMs: late.clock.monotonicMs() + 1000, killAtMs: late.clock.monotonicMs() + 3500 })
  await late.clock.pass(3500)
  t.same(late.seen, ['ending', 'over'])
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
