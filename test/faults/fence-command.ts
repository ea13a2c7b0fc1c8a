import { parseArgs } from 'node:util'

import { whyNotEngines } from '../engines/skip.ts'
import { type AgentFault, overlaps, startFenceWorld } from './fence.ts'

// Kills and freezes the agent of an exclusive instance on a node that is cut off, as often as one likes.

const { values } = parseArgs({ options: { runs: { type: 'string', default: '50' } } })
const reason = whyNotEngines()
if (reason !== undefined) throw new Error(`faults need real engines: ${reason}`)

await using world = await startFenceWorld()
const faults: readonly AgentFault[] = ['SIGKILL', 'SIGSTOP']
const gaps: number[] = []
let bad = 0
for (let count = 0; count < Number(values.runs); count++) {
  const run = await world.run(faults[count % faults.length] ?? 'SIGKILL')
  const { fault, from, to, lastOldMs, firstNewMs, lastOldPacketMs, firstNewPacketMs } = run
  if (overlaps(run)) bad += 1
  gaps.push(firstNewPacketMs - lastOldPacketMs)
  const answers = `answers: last of ${from} at ${lastOldMs} ms, first of ${to} at ${firstNewMs} ms`
  const packets = `packets: ${Math.round(lastOldPacketMs)} and ${Math.round(firstNewPacketMs)} ms`
  process.stdout.write(`${count + 1} ${fault}: ${answers}; ${packets}${overlaps(run) ? ': BOTH ANSWERED' : ''}\n`)
}
const smallest = Math.round(Math.min(...gaps))
const largest = Math.round(Math.max(...gaps))
process.stdout.write(
  `${gaps.length} runs, ${bad} in which two instances answered at once; silence between them ${smallest} to ${largest} ms\n`,
)
process.exitCode = bad > 0 ? 1 : 0
