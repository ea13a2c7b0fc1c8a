import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'
import t from 'tap'

import { question, readAnswer, table } from '../../../../shared/test/dns/support.ts'
import type { NameState } from '../../../src/dns/core/name-state.ts'
import type { Served } from '../../../src/dns/name-serving.ts'
import { DetachedNames } from '../../../src/dns/process/detached-names.ts'
import { endNames } from '../../../src/dns/process/names-process.ts'
import { findProgram, type Program } from '../../../src/dns/process/program.ts'
import { startTime } from '../../../src/node/process-time.ts'

// Run in a network namespace of its own, where nobody else has port 53.

t.setTimeout(120_000)

const block = '127.9.9'
const gateway = `${block}.1`
const asker = `${block}.9`
const name = 'api.prod.bulkhead'

const bridge = {
  environment: 'prod',
  zone: 'application',
  gateway,
  gateways: [gateway],
  subnets: [`${block}.0/24`],
}

/** The service `api` has the address with this index. */
function stateOf(addressIndex: number, more: Partial<NameState> = {}): NameState {
  const tables = new Map([['prod/api', table('prod/api', { addressIndex })]])
  const addresses = { services: '10.231.0.0/16', services6: null }
  return {
    bridges: [bridge],
    directory: { revision: addressIndex, tables, reaches: {}, addresses },
    forwarding: false,
    resolvConf: '/etc/resolv.conf',
    ...more,
  }
}

async function askUdp(timeoutMs = 1000): Promise<string> {
  const socket = createSocket('udp4')
  try {
    socket.bind(0, asker)
    await once(socket, 'listening')
    socket.connect(53, gateway)
    await once(socket, 'connect')
    socket.send(question(name, 'A'))
    const [message] = (await once(socket, 'message', {
      signal: AbortSignal.timeout(timeoutMs),
    })) as [Buffer]
    return readAnswer(message)?.answers.join(' ') ?? ''
  } catch (error) {
    return String(error)
  } finally {
    socket.close()
  }
}

async function askTcp(): Promise<string> {
  const socket = connect({ host: gateway, port: 53, localAddress: asker })
  const message = question(name, 'A')
  const length = Buffer.alloc(2)
  length.writeUInt16BE(message.length)
  socket.write(Buffer.concat([length, message]))
  try {
    const [data] = (await once(socket, 'data', { signal: AbortSignal.timeout(1000) })) as [Buffer]
    return readAnswer(data.subarray(2))?.answers.join(' ') ?? ''
  } catch (error) {
    return String(error)
  } finally {
    socket.destroy()
  }
}

async function until(what: string, withinMs: number, isSo: () => boolean | Promise<boolean>) {
  const sinceMs = performance.now()
  while (!(await isSo())) {
    if (performance.now() - sinceMs > withinMs)
      throw new Error(`${what}: not within ${withinMs} ms`)
    await delay(10)
  }
  return performance.now() - sinceMs
}

const logger = pino({ level: process.env['BULKHEAD_TEST_LOG'] ?? 'silent' })
const clock = systemClock

/** What an agent has of it; `end` is the end of that agent. */
function agent(directory: string, program: () => Promise<Program> = findProgram) {
  const names = new DetachedNames({ clock, logger, program }, directory)
  const ending = new AbortController()
  const served: Served[] = []
  const guarding = names.guard(ending.signal, (one) => served.push(one))
  const end = async (): Promise<void> => {
    ending.abort()
    await guarding
  }
  return { names, served, end }
}

async function directoryFor(t: { teardown(run: () => Promise<void>): unknown }): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), 'bulkhead-names-'))
  const directory = join(data, 'names')
  t.teardown(async () => {
    await endNames(clock, directory)
    await rm(data, { recursive: true, force: true })
  })
  return directory
}

const isAlive = (pid: number): boolean => startTime(pid) !== null
const awake = setInterval(() => {}, 1000)
t.teardown(() => clearInterval(awake))

t.test('a table is acknowledged when answers go by it', async (t) => {
  const { names, end } = agent(await directoryFor(t))
  t.same(await names.serve(stateOf(1)), { listening: [gateway], problems: {} })
  t.equal(await askUdp(), '10.231.0.1')
  t.equal(await askTcp(), '10.231.0.1')
  for (let index = 2; index < 50; index++) {
    await names.serve(stateOf(index))
    t.equal(await askUdp(), `10.231.0.${index}`)
  }
  await names.serve(stateOf(0, { directory: null }))
  t.equal(await askUdp(), '10.231.0.49', 'who knows nothing yet takes nothing away')
  await end()
})

t.test('it answers while there is no agent, and goes on with the next one', async (t) => {
  const directory = await directoryFor(t)
  const first = agent(directory)
  await first.names.serve(stateOf(1))
  const { pid } = first.names
  await first.end()
  t.equal(await askUdp(), '10.231.0.1')
  const second = agent(directory)
  await second.names.serve(stateOf(2))
  t.equal(second.names.pid, pid)
  t.equal(await askUdp(), '10.231.0.2')
  await second.end()
})

t.test('one that was killed is back within a second', async (t) => {
  const { names, end } = agent(await directoryFor(t))
  await names.serve(stateOf(1))
  const { pid } = names
  process.kill(pid ?? 0, 'SIGKILL')
  const tookMs = await until('an answer', 10_000, async () => (await askUdp(100)) === '10.231.0.1')
  t.not(names.pid, pid)
  t.ok(tookMs < 3000, `${Math.round(tookMs)} ms`)
  t.comment(`answers again after ${Math.round(tookMs)} ms`)
  await end()
})

t.test('one that hangs is replaced', async (t) => {
  const { names, end } = agent(await directoryFor(t))
  await names.serve(stateOf(1))
  const pid = names.pid ?? 0
  process.kill(pid, 'SIGSTOP')
  await until('an answer', 15_000, async () => (await askUdp(100)) === '10.231.0.1')
  await until('its end', 5000, () => !isAlive(pid))
  t.not(names.pid, pid)
  await end()
})

t.test('another program takes over, and every question is answered', async (t) => {
  const directory = await directoryFor(t)
  const before = agent(directory)
  await before.names.serve(stateOf(1))
  const old = before.names.pid ?? 0
  await before.end()
  const asked = new AbortController()
  const answers = new Map<string, number>()
  let lost = 0
  const asking = [askUdp, askTcp, askUdp, askTcp].map(async (ask) => {
    while (!asked.signal.aborted) {
      const first = await ask()
      // What comes in the very moment in which the old one lets go is lost, and asked again by every resolver.
      const isLost = /Error/.test(first)
      if (isLost) lost += 1
      const answer = isLost ? await ask() : first
      answers.set(answer, (answers.get(answer) ?? 0) + 1)
    }
  })
  const newer = async (): Promise<Program> => {
    const { command, argv } = await findProgram()
    return { id: 'newer', command, argv: [...argv.slice(0, -1), 'newer'] }
  }
  const after = agent(directory, newer)
  await delay(200)
  await after.names.serve(stateOf(1))
  await until('the end of the old one', 5000, () => !isAlive(old))
  await delay(200)
  asked.abort()
  await Promise.all(asking)
  t.not(after.names.pid, old)
  t.same([...answers.keys()], ['10.231.0.1'], [...answers].join('; '))
  t.ok(lost <= 4, `${lost} asked twice`)
  t.comment(`${[...answers.values()].join(', ')} answers meanwhile, ${lost} asked twice`)
  await after.end()
})

t.test('it ends when the data of its agent is removed, or the node leaves', async (t) => {
  const directory = await directoryFor(t)
  const first = agent(directory)
  await first.names.serve(stateOf(1))
  const pid = first.names.pid ?? 0
  await first.end()
  await delay(1500)
  t.ok(isAlive(pid))
  await rm(directory, { recursive: true })
  await until('its end', 5000, () => !isAlive(pid))
  const second = agent(directory)
  await second.names.serve(stateOf(1))
  const next = second.names.pid ?? 0
  await second.names.stop()
  t.notOk(isAlive(next))
  t.equal(second.names.pid, null)
  await second.end()
})

t.test('what is in the way is said, and listened at when it has gone', async (t) => {
  const taken = createSocket('udp4')
  taken.bind(53, gateway)
  await once(taken, 'listening')
  const { names, served, end } = agent(await directoryFor(t))
  t.match(await names.serve(stateOf(1)), {
    listening: [],
    problems: { [gateway]: /port 53 of .* is taken by another program/ },
  })
  taken.close()
  await until('it listens', 5000, () => served.at(-1)?.listening[0] === gateway)
  t.equal(await askUdp(), '10.231.0.1')
  await end()
})

t.test('without bridges there is no process', async (t) => {
  const { names, end } = agent(await directoryFor(t))
  t.same(await names.serve(stateOf(1, { bridges: [] })), { listening: [], problems: {} })
  t.equal(names.pid, null)
  await end()
})
