import { test } from 'tap'

import { makeConfig } from '../../src/config/config.ts'
import { NodeMonitor } from '../../src/nodes/monitor.ts'
import { openForTest } from '../state/open-for-test.ts'
import { manualClock } from '../support/manual-clock.ts'
import { aNode } from '../support/records.ts'

const config = makeConfig({ nodes: { downAfter: '10s' } }, {}).nodes

async function setUp(...names: string[]) {
  const clock = manualClock()
  const { state } = await openForTest()
  await state.write({ actor: 'test' }, (tx) => {
    for (const name of names) tx.putNode(aNode(name))
  })
  const onProblem = (error: unknown): void => {
    throw error
  }
  const monitor = new NodeMonitor({ state, clock, config, onProblem })
  /** A second of heartbeats: what each node says of its engine. */
  const beat = async (problems: Record<string, string>): Promise<void> => {
    for (let part = 0; part < 5; part++) {
      clock.advance(200)
      for (const name of names) monitor.heard(name, problems[name] ?? '')
      monitor.check()
      await state.settled()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const liveness = (name: string) => state.view.nodes.get(name)?.liveness
  return { clock, state, monitor, beat, liveness }
}

test('a node whose engine stays down is lost in the end, and ready again with its engine', async (t) => {
  const { state, monitor, beat, liveness } = await setUp('a', 'b', 'c')
  await beat({})
  await beat({ a: 'no socket' })
  t.equal(liveness('a'), 'down')
  for (let second = 0; second < 5; second++) await beat({ a: `no socket, for ${second} s` })
  t.equal(liveness('a'), 'down')
  monitor.heard('a')
  for (let second = 0; second < 6; second++) await beat({ a: 'no socket' })
  t.equal(liveness('a'), 'lost', 'a new session does not start the time anew')
  t.match(state.view.nodes.get('a')?.livenessReason, /its engine has not answered for 10/)
  await beat({ a: 'no socket' })
  t.equal(liveness('a'), 'lost')
  await beat({})
  t.equal(liveness('a'), 'ready')
  await state.close()
})

test('time in which the control plane itself did not run is not held against an engine', async (t) => {
  const { clock, state, beat, liveness } = await setUp('a', 'b', 'c')
  await beat({})
  await beat({ a: 'no socket' })
  clock.advance(60_000)
  await beat({ a: 'no socket' })
  t.equal(liveness('a'), 'down')
  await state.close()
})

test('after a stop of the control plane itself agents that have left it have time to come back', async (t) => {
  const { clock, state, monitor, beat, liveness } = await setUp('a', 'b', 'c')
  await beat({})
  clock.advance(60_000)
  const others = async (seconds: number): Promise<void> => {
    for (let part = 0; part < 5 * seconds; part++) {
      clock.advance(200)
      for (const name of ['b', 'c']) monitor.heard(name)
      monitor.check()
      await state.settled()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  await others(9)
  t.equal(liveness('a'), 'ready')
  await others(4)
  t.equal(liveness('a'), 'lost')
  await state.close()
})

test('who is heard before the first look after a stop is not taken for heard later on', async (t) => {
  const { clock, state, monitor, beat, liveness } = await setUp('a', 'b', 'c')
  await beat({})
  clock.advance(600_000)
  monitor.heard('a')
  for (let part = 0; part < 60; part++) {
    clock.advance(200)
    for (const name of ['b', 'c']) monitor.heard(name)
    monitor.check()
    await state.settled()
    await new Promise((resolve) => setImmediate(resolve))
  }
  t.equal(liveness('a'), 'lost')
  await state.close()
})

test('a control plane that stops again and again notices a lost node all the same', async (t) => {
  const { clock, state, monitor, beat, liveness } = await setUp('a', 'b', 'c')
  await beat({})
  for (let turn = 0; turn < 8; turn++) {
    clock.advance(3000)
    for (let part = 0; part < 25; part++) {
      clock.advance(200)
      for (const name of ['b', 'c']) monitor.heard(name)
      monitor.check()
      await state.settled()
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  t.equal(liveness('a'), 'lost')
  await state.close()
})
