import { pino } from 'pino'
import t from 'tap'

import { fencedAddresses } from '../../src/network/core/fenced-address.ts'
import { noSlots, onAnswered, onSent, takeFree } from '../../src/network/core/slots.ts'
import { Fence } from '../../src/network/fence.ts'
import type { Kernel } from '../../src/network/kernel.ts'
import { FakeClock } from '../support/fake-clock.ts'

const leaseMs = 6000

function world() {
  const clock = new FakeClock()
  const scripts: string[] = []
  let beats = 0
  let fails = false
  const kernel: Kernel = {
    list: async () => null,
    follow: async () => {},
    run: async (script) => {
      if (fails) throw new Error('no such table')
      scripts.push(script)
    },
  }
  const logger = pino({ level: 'silent' })
  const beat = (): void => void (beats += 1)
  const fence = new Fence({ clock, logger, kernel, isNeeded: () => true, beat }, 'inet b')
  fence.welcomed(leaseMs)
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  const last = (): string => scripts.at(-1) ?? ''
  return { clock, fence, last, settled, beats: () => beats, fail: (yes: boolean) => (fails = yes) }
}

t.test('what counts was armed before the heartbeat was sent', async (t) => {
  const { fence, last, settled } = world()
  fence.sent(1)
  await settled()
  t.equal(last(), '', 'nothing before the table is known')
  fence.installed(null)
  await settled()
  t.match(
    last(),
    'flush set inet b beat0\nadd element inet b beat0 { ipv4 timeout 6000ms, ipv6 timeout 6000ms }',
  )
  fence.answered(1)
  await settled()
  t.notMatch(last(), 'lease0', 'a heartbeat from before is worth nothing')
  fence.sent(2)
  await settled()
  t.match(last(), 'beat1', 'the next one is armed')
  fence.answered(2)
  await settled()
  t.match(
    last(),
    'flush map inet b lease\nadd element inet b lease { ipv4 : goto lease0, ipv6 : goto lease0 }',
  )
})

t.test('without answers nothing is prolonged', async (t) => {
  const { fence, last, settled } = world()
  fence.installed(2)
  for (let sequence = 1; sequence < 20; sequence++) {
    fence.sent(sequence)
    await settled()
    t.notMatch(last(), 'goto')
    t.notMatch(last(), /beat2/, 'what counts is left to run out')
  }
  fence.answered(3)
  await settled()
  t.notMatch(last(), 'goto', 'its place has been given to a later one')
})

t.test('what was armed long ago is not used', async (t) => {
  t.equal(onSent({ ...noSlots, armed: { slot: 1, atMs: 0 } }, 7, 2001, 2000).armed, null)
  const used = onSent({ ...noSlots, armed: { slot: 1, atMs: 0 } }, 7, 2000, 2000)
  t.same(used.used, [{ sequence: 7, slot: 1 }])
  t.equal(onAnswered(used, 6), used)
  t.same(onAnswered(used, 7), { armed: null, used: [], active: 1 })
  t.equal(takeFree({ ...noSlots, active: 0 })?.slot, 1)
})

t.test('what starts waits for the first lease, but not for ever', async (t) => {
  const { clock, fence, settled, beats } = world()
  fence.installed(null)
  let isReady = false
  void fence.ready().then(() => (isReady = true))
  await settled()
  t.ok(beats() > 0, 'a heartbeat is asked for')
  fence.sent(1)
  await settled()
  t.notOk(isReady)
  fence.answered(1)
  await settled()
  await settled()
  t.ok(isReady)
  const other = world()
  other.fail(true)
  other.fence.installed(null)
  let isLate = false
  void other.fence.ready().then(() => (isLate = true))
  await other.clock.pass(2001)
  t.ok(isLate)
  t.ok(clock)
})

t.test('addresses in the fenced parts', async (t) => {
  const parts = ['10.1.2.128/25', 'fd00:1:2:3:8000::/65']
  const { ipv4, ipv6 } = fencedAddresses(parts, 'a', new Set())
  t.match(ipv4, /^10\.1\.2\.(12[89]|1[3-9]\d|2[0-4]\d|25[0-4])$/)
  t.match(ipv6, /^fd00:1:2:3:8000:/)
  const next = fencedAddresses(parts, 'a', new Set([ipv4 ?? '', ipv6 ?? '']))
  t.not(next.ipv4, ipv4)
  t.not(next.ipv6, ipv6)
  const all = new Set<string>()
  for (let i = 0; i < 127; i++) all.add(fencedAddresses(parts, `i${i}`, all).ipv4 ?? '')
  t.equal(all.size, 127, 'all of them can be had')
  t.equal(fencedAddresses(parts, 'b', all).ipv4, null)
  t.same(fencedAddresses([], 'a', new Set()), { ipv4: null, ipv6: null })
})
