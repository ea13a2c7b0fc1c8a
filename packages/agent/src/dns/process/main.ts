import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'

import { systemClock as clock } from '@bulkhead/shared/basics'
import { ask, Forwarder, hostResolvers, listenDnsShared } from '@bulkhead/shared/dns'

import { NameServer } from '../name-server.ts'
import { Control } from './control.ts'
import { identify, markOf } from './identity.ts'

/*
 * The name server of a node, in its directory, with the name of the program as its argument. It lives as long as the
 * mark there names it, whatever becomes of agents: where the directory is removed, or the mark names another one, it
 * ends.
 */

const lookMs = 1000
/** Of the agent that has started it: to tell it something and mark it. */
const graceMs = 20_000

const [program = ''] = process.argv.slice(2)
const own = identify(process.pid) ?? { pid: process.pid, started: '' }
const socketPath = `${process.pid}.sock`
const gateways = new Set<string>()
const random = (): number => randomBytes(4).readUInt32BE() / 2 ** 32

const names = new NameServer({
  clock,
  listen: (address, port, handler) => {
    gateways.add(address)
    return listenDnsShared(address, port, handler)
  },
  forwarderOf: (file) =>
    new Forwarder({ clock, resolvers: hostResolvers(clock, () => gateways, file), ask, random }),
  onError: (error) => process.stderr.write(`a name could not be looked up: ${String(error)}\n`),
  onServed: (served) => control.tell(served),
})
const control = new Control(program, names)

let isEnding = false
async function end(): Promise<void> {
  if (isEnding) return
  isEnding = true
  await names.close()
  rmSync(socketPath, { force: true })
  process.exit(0)
}

const bornMs = clock.monotonicMs()
let wasMarked = false
setInterval(() => {
  const mark = markOf('.', own)
  if (mark === 'own') wasMarked = true
  const isYoung = !wasMarked && clock.monotonicMs() < bornMs + graceMs
  if (mark !== null && mark !== 'own' && !isYoung) void end()
}, lookMs)

process.on('SIGTERM', () => void end())
await control.listen(socketPath)
