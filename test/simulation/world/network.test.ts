import t from 'tap'

import { Random } from '../random.ts'
import { Host } from './host.ts'
import { type End, Network } from './network.ts'
import { Process } from './process.ts'
import { Schedule } from './schedule.ts'

function connection() {
  const schedule = new Schedule()
  const network = new Network(schedule, new Random(2), () => {})
  const host = (name: string): Host => new Host(name, schedule, new Random(1))
  const processes = [
    new Process('agent', host('a'), schedule),
    new Process('controlplane-1', host('c'), schedule),
  ] as const
  let latencyMs = 10
  const link = { latencyMs: () => latencyMs, loss: 0, stalledUp: false, stalledDown: false }
  const { client, server } = network.connect(...processes, link)
  const heard: string[] = []
  const listen = (end: End, name: string): void => {
    end.handlers = {
      onText: (text) => heard.push(`${name} ${text}`),
      onClose: () => heard.push(`${name} closed`),
    }
  }
  listen(client, 'client')
  listen(server, 'server')
  const pass = (ms: number): string[] => {
    const untilMs = schedule.nowMs + ms
    for (let next = schedule.take(untilMs); next; next = schedule.take(untilMs)) next.run()
    schedule.nowMs = untilMs
    return heard.splice(0)
  }
  const hasten = (ms: number): void => {
    latencyMs = ms
  }
  return { network, link, client, server, processes, pass, hasten }
}

t.test('what is sent arrives in order, however long each would take', async (t) => {
  const { client, pass, hasten } = connection()
  client.send('1')
  hasten(1)
  client.send('2')
  t.same(pass(5), [])
  t.same(pass(10), ['server 1', 'server 2'])
})

t.test('a stalled direction holds everything, in order, until it is free', async (t) => {
  const { network, link, client, server, pass } = connection()
  client.send('1')
  pass(5)
  network.stall(link, { up: true, down: false })
  client.send('2')
  server.send('a')
  t.same(pass(60_000), ['client a'])
  network.stall(link, { up: false, down: false })
  client.send('3')
  t.same(pass(100), ['server 1', 'server 2', 'server 3'])
})

t.test('an end is told to the other side after all that was sent', async (t) => {
  const { client, pass } = connection()
  client.send('1')
  client.close('over')
  client.send('2')
  t.same(pass(100), ['server 1', 'server closed'])
})

t.test('who is killed is heard to end; a machine without power is not', async (t) => {
  const killed = connection()
  killed.processes[0].kill()
  t.same(killed.pass(100), ['server closed'])
  const dark = connection()
  dark.processes[0].host.up = false
  dark.processes[0].kill()
  dark.server.send('1')
  t.same(dark.pass(60_000), [])
  dark.processes[0].host.up = true
  dark.server.send('2')
  t.same(dark.pass(100), ['server closed'], 'a machine that is back knows nothing of it')
})

t.test('one end can break alone', async (t) => {
  const { network, link, client, server, pass } = connection()
  network.break(link, 'client')
  t.same(pass(100), ['client closed'])
  server.send('1')
  t.same(pass(100), [])
  t.notOk(client.open)
  t.ok(server.open)
})

t.test('where packets are lost everything comes, in order, and some of it later', async (t) => {
  const { link, client, pass } = connection()
  link.loss = 0.2
  let late = 0
  for (let count = 0; count < 100; count++) {
    client.send(String(count))
    const inTime = pass(100)
    if (inTime.length === 0) {
      late += 1
      t.same(pass(60_000), [`server ${count}`])
    } else t.same(inTime, [`server ${count}`])
  }
  t.ok(late > 5 && late < 40, `${late} of 100 were late`)
})
