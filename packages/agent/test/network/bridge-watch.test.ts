import { pino } from 'pino'
import t from 'tap'

import { BridgeWatch } from '../../src/network/bridge-watch.ts'
import type { Bridge } from '../../src/network/core/bridge.ts'
import { shortcomingsOf } from '../../src/network/core/shortcomings.ts'
import { FakeClock } from '../support/fake-clock.ts'

const bridge: Bridge = {
  network: 'bulkhead-prod-web',
  environment: 'prod',
  zone: 'web',
  device: 'bh-web',
  gateways: ['172.18.0.1', 'fd00:1::1'],
  subnets: ['172.18.0.0/16', 'fd00:1::/64'],
  fenced: ['172.18.128.0/17', 'fd00:1:0:0:8000::/65'],
  discoveryPort: 7071,
}

function begin() {
  const clock = new FakeClock()
  const controller = new AbortController()
  const world = {
    devices: new Set(['lo', 'bh-web']),
    off: [] as string[],
    cannotFilter: false,
    isReady: true,
    isMaking: false,
    fails: false,
    isElsewhere: false,
    mended: 0,
    repaired: [] as string[],
    unfiltered: 0,
  }
  const watch = new BridgeWatch({
    clock,
    logger: pino({ level: 'silent' }),
    machine: {
      devices: async () => world.devices,
      filterBridges: async () => {
        if (world.cannotFilter) throw new Error('read-only')
        return world.off.splice(0)
      },
    },
    networks: () => ({
      bridges: [bridge],
      isMaking: () => world.isMaking,
      mend: async (_bridge, isUsed) => {
        world.mended += 1
        if (world.fails) throw new Error('the engine is busy')
        if (!world.isElsewhere) world.devices.add('bh-web')
        return isUsed
      },
    }),
    isUsed: () => true,
    isReady: () => world.isReady,
    onRepaired: (reason) => void world.repaired.push(reason),
    onUnfiltered: () => void (world.unfiltered += 1),
  })
  const running = watch.run(controller.signal)
  return { clock, world, stop: () => (controller.abort(), running) }
}

t.test('a bridge that is gone is made again, and told of', async (t) => {
  const { clock, world, stop } = begin()
  await clock.pass(5000)
  t.equal(world.mended, 0)
  world.devices.delete('bh-web')
  await clock.pass(1000)
  t.equal(world.mended, 0, 'it may be on its way')
  await clock.pass(1000)
  t.equal(world.mended, 1)
  t.match(world.repaired, [
    /^the bridge bh-web of the network bulkhead-prod-web was gone; it was made again/,
  ])
  await clock.pass(10_000)
  t.equal(world.mended, 1)
  await stop()
})

t.test('not while the engine is away, or makes it', async (t) => {
  const { clock, world, stop } = begin()
  world.devices.delete('bh-web')
  world.isReady = false
  await clock.pass(5000)
  world.isReady = true
  world.isMaking = true
  await clock.pass(5000)
  t.equal(world.mended, 0)
  world.isMaking = false
  await clock.pass(2000)
  t.equal(world.mended, 1)
  await stop()
})

t.test('an engine that cannot is asked from time to time', async (t) => {
  const { clock, world, stop } = begin()
  world.devices.delete('bh-web')
  world.fails = true
  await clock.pass(60_000)
  t.ok(world.mended >= 6 && world.mended <= 10, `${world.mended} times in a minute`)
  t.same(world.repaired, [])
  await stop()
})

t.test('an engine whose bridges are not to be seen from here is not disturbed again', async (t) => {
  const { clock, world, stop } = begin()
  world.isElsewhere = true
  world.devices.delete('bh-web')
  await clock.pass(60_000)
  t.equal(world.mended, 1)
  world.devices.add('bh-web')
  await clock.pass(1000)
  world.devices.delete('bh-web')
  await clock.pass(3000)
  t.equal(world.mended, 2, 'one that was seen meanwhile is')
  await stop()
})

t.test('what goes between ports of a bridge passes the rules', async (t) => {
  const { clock, world, stop } = begin()
  world.off.push('net.bridge.bridge-nf-call-iptables')
  await clock.pass(1000)
  t.match(world.repaired, [
    /^net\.bridge\.bridge-nf-call-iptables was 0, so that containers on one bridge reached each other/,
  ])
  world.cannotFilter = true
  await clock.pass(1000)
  t.equal(world.unfiltered, 1)
  await stop()
})

t.test('what a bridge lacks', async (t) => {
  t.same(shortcomingsOf(bridge, ''), [])
  const four = { ...bridge, subnets: ['172.18.0.0/16'], fenced: ['172.18.128.0/17'] }
  t.match(shortcomingsOf(four, 'this machine has no IPv6'), [
    /^the bridge bh-web of the network bulkhead-prod-web has no IPv6 \(this machine has no IPv6\)/,
  ])
  t.match(shortcomingsOf({ ...bridge, fenced: ['172.18.128.0/17'] }, ''), [
    /has no part of IPv6 for exclusive instances/,
  ])
  t.equal(shortcomingsOf({ ...four, fenced: [] }, 'none').length, 2)
})
