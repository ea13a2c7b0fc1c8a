import { createSocket } from 'node:dgram'
import { once } from 'node:events'

import t from 'tap'

import { udpDatagrams } from '../../src/session/udp-datagrams.ts'
import { FakeWorld } from '../support/fake-agent.ts'

async function inSession(): Promise<FakeWorld> {
  const world = new FakeWorld()
  await world.start()
  world.welcome()
  world.send({ kind: 'assignments', from: null, revision: 1, upserts: [], removes: [] })
  await world.clock.pass(5000)
  return world
}

t.test('a connection that moves needs no beats', async (t) => {
  const world = await inSession()
  await world.clock.pass(60_000)
  t.same(world.beats, [])
  await world.stop()
})

t.test('a heartbeat that is not answered in time is followed by beats until one is', async (t) => {
  const world = await inSession()
  world.answersHeartbeats = false
  world.answersBeats = true
  await world.clock.pass(3000)
  const sent = world.beats.length
  t.ok(sent >= 15 && sent <= 30, `${sent} beats`)
  t.ok(world.beats.every(({ kind, node, bootId }) => kind === 'hears' && node === 'n' && bootId === 'boot'))
  t.same(world.beats.map(({ counter }) => counter), Array.from({ length: sent }, (_, index) => index + 1), 'they count up')
  world.answersHeartbeats = true
  await world.clock.pass(1200)
  const atLast = world.beats.length
  await world.clock.pass(10_000)
  t.equal(world.beats.length, atLast, 'and then they rest')
  await world.stop()
})

t.test('an agent that hears nothing says so, and after a while nothing', async (t) => {
  const world = await inSession()
  world.answersHeartbeats = false
  await world.clock.pass(4000)
  t.ok(world.beats.some(({ kind }) => kind === 'hears'))
  t.equal(world.beats.at(-1)?.kind, 'deaf')
  world.reachable = false
  await world.clock.pass(40_000)
  const sent = world.beats.length
  await world.clock.pass(60_000)
  t.equal(world.beats.length, sent, 'an outage that lasts is not beaten through')
  await world.stop()
})

t.test('a connection that is held up is given up later when the server answers beats', async (t) => {
  for (const [answersBeats, withinMs] of [[false, 5500], [true, 12_000]] as const) {
    const world = await inSession()
    world.answersHeartbeats = false
    world.answersBeats = answersBeats
    const sessions = world.of('hello').length
    await world.clock.pass(withinMs - 2000)
    t.equal(world.of('hello').length, sessions, `not yet after ${withinMs - 2000} ms`)
    await world.clock.pass(2000)
    t.ok(world.of('hello').length > sessions, `after ${withinMs} ms`)
    await world.stop()
  }
})

t.test('over UDP', async (t) => {
  const server = createSocket('udp4').bind(0, '127.0.0.1')
  await once(server, 'listening')
  server.on('message', (data, from) => server.send(`re: ${String(data)}`, from.port, from.address))
  const answers: string[] = []
  const { port } = server.address()
  const socket = udpDatagrams.open(`ws://127.0.0.1:${port}/v1/agent/session`, (data) => answers.push(Buffer.from(data).toString()))
  t.doesNotThrow(() => socket.send(Buffer.from('too early')), 'before the address is known')
  const isThere = (): boolean => answers.length > 0
  for (let turn = 0; turn < 100 && !isThere(); turn++) {
    socket.send(Buffer.from('beat'))
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  t.equal(answers[0], 're: beat')
  socket.close()
  socket.close()
  t.doesNotThrow(() => socket.send(Buffer.from('too late')))
  server.close()
  const nowhere = udpDatagrams.open('ws://does-not-exist.invalid:1/', () => {})
  nowhere.send(Buffer.from('beat'))
  nowhere.close()
})
