import type { InstanceReport, InstanceState } from '@bulkhead/shared'
import t from 'tap'

import { reportOf } from '../../src/core/lineage.ts'
import { Outbox } from '../../src/session/outbox.ts'
import { FakeClock } from '../support/fake-clock.ts'
import { lineage } from '../support/views.ts'

function report(instance: string, state: InstanceState): InstanceReport {
  const one = lineage({ instance }, { state })
  return reportOf(one, one.current)
}

function begin() {
  const clock = new FakeClock()
  const sent: string[] = []
  const outbox = new Outbox({
    clock,
    send: (_, reports) => sent.push(reports.map(({ instance, observed }) => `${instance} ${observed.state}`).join(', ')),
  })
  outbox.open()
  return { clock, sent, outbox }
}

t.test('steps on the way up travel with what follows them', async (t) => {
  const { clock, sent, outbox } = begin()
  outbox.put(report('a', 'created'))
  outbox.put(report('b', 'created'))
  await clock.pass(40)
  outbox.put(report('a', 'starting'))
  t.same(sent, [])
  await clock.pass(20)
  outbox.put(report('a', 'running'))
  await clock.pass(5)
  t.same(sent, ['a running, b created'], 'what runs is told at once, and takes the rest along')
  await clock.pass(1000)
  t.equal(sent.length, 1)
})

t.test('a step that nothing follows is told all the same', async (t) => {
  const { clock, sent, outbox } = begin()
  outbox.put(report('a', 'starting'))
  await clock.pass(99)
  t.same(sent, [])
  await clock.pass(1)
  t.same(sent, ['a starting'])
})

t.test('what cannot be told yet follows when something was acknowledged', async (t) => {
  const { clock, sent, outbox } = begin()
  for (let count = 0; count < 10; count++) {
    outbox.put(report(`a${count}`, 'running'))
    await clock.pass(5)
  }
  t.equal(sent.length, 8)
  outbox.acknowledge(1)
  await clock.pass(5)
  t.equal(sent.at(-1), 'a8 running, a9 running')
})

t.test('the last of an instance is kept until that very report is answered', async (t) => {
  const { clock, outbox } = begin()
  outbox.putLast(report('told', 'stopped'))
  outbox.close()
  t.same(outbox.open().map(({ instance }) => instance), ['told'])
  outbox.putLast(report('later', 'stopped'))
  outbox.inventoryTaken()
  t.equal(outbox.farewell('told'), undefined)
  t.match(outbox.farewell('later'), { instance: 'later' }, 'the inventory went without it')
  await clock.pass(5)
  outbox.acknowledge(1)
  t.equal(outbox.farewell('later'), undefined)
})

t.test('what was said of a successor counts for the instance that it came from', async (t) => {
  const { outbox } = begin()
  outbox.putLast({ ...report('second', 'stopped'), origin: 'first' })
  t.match(outbox.farewell('first'), { instance: 'second' })
  t.equal(outbox.farewell('third'), undefined)
})
