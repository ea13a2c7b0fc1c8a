import fc from 'fast-check'

import { FakeWorld } from '../../../packages/agent/test/support/fake-agent.ts'
import { assignment, template } from '../../../packages/agent/test/support/templates.ts'
import { type Move, moves } from '../data/to-agent.ts'
import { type Check, expect, type OpenTarget, pureTarget } from '../run/target.ts'

const wanted = assignment({
  instance: 'wanted-0-aaaaaaaa',
  service: 'default/wanted',
  template: template({ stop: { drainMs: 0, signal: 'SIGTERM', graceMs: 0 } }),
})
/** More than any delay that the agent keeps for itself; what an order asks for can be longer. */
const recoverMs = 30_000
/** One case's worth of what an agent may send: heartbeats of every millisecond would be more. */
const maxMessages = 5000

/** Somebody else's container, which is none of the agent's business. */
const foreign = {
  id: 'c999999',
  name: 'foreign',
  labels: {},
  state: 'running',
  startedAtMs: 1,
  finishedAtMs: null,
  exitCode: null,
  oomKilled: false,
  error: '',
  address: '',
  isDetached: false,
} as const

async function make(world: FakeWorld, move: Move): Promise<void> {
  if ('say' in move) world.sendText(move.say)
  else if ('cut' in move) world.cut()
  else await world.clock.pass(move.passMs)
}

async function survives(list: readonly Move[], isGreeted: boolean): Promise<void> {
  const faults: unknown[] = []
  const onFault = (fault: unknown): void => void faults.push(fault)
  process.on('unhandledRejection', onFault)
  const world = new FakeWorld()
  try {
    world.engine.containers.set(foreign.id, foreign)
    await world.start()
    if (isGreeted) world.welcome()
    for (const move of list) await make(world, move)
    await world.clock.pass(100)
    expect(world.received.length < maxMessages, `it sent ${world.received.length} messages`)
    await obeysAgain(world)
    expect(world.engine.containers.has(foreign.id), 'a container of somebody else is gone')
    expect(faults.length === 0, `unhandled: ${String(faults[0])} ${(faults[0] as Error)?.stack}`)
  } finally {
    await world.stop()
    process.off('unhandledRejection', onFault)
  }
}

/** A control plane that is as it should be takes over. */
async function obeysAgain(world: FakeWorld): Promise<void> {
  world.cut()
  await world.clock.pass(10_000)
  world.welcome()
  world.send({ kind: 'assignments', from: null, revision: 7, upserts: [wanted], removes: [] })
  await world.clock.pass(recoverMs)
  const names = world.engine.running().flatMap(({ labels }) => Object.values(labels))
  expect(
    names.includes(wanted.instance),
    `what is wanted does not run: ${JSON.stringify(world.reports().get(wanted.instance))}`,
  )
  const reported = world.reports().get(wanted.instance)?.observed.state
  expect(reported === 'running', `it is said to be ${reported}`)
}

/** The real agent, in a world of fakes, with a control plane that is not to be trusted. */
const checks: readonly Check[] = [
  {
    name: 'orders to an agent',
    runs: 20,
    property: fc.asyncProperty(moves, fc.boolean(), survives),
  },
]

export const openAgent: OpenTarget = async () => pureTarget('agent', checks)
