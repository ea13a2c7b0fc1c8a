import { run } from '../run.ts'
import { generate } from '../scenario/generate.ts'

/* Runs seeds until one breaks a promise; says so as one line of JSON. Arguments: first seed, how many, seconds of a core. */

const [first = 1, count = 1, seconds = 60] = process.argv.slice(2).map(Number)
/** Of the processor, so that what else the machine does decides nothing. */
const usedS = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}
let seeds = 0
let found: object | null = null
while (found === null && seeds < count && usedS() < seconds) {
  const seed = first + seeds
  seeds += 1
  const { violation } = await run(generate(seed))
  if (violation !== null) found = { seed, invariant: violation.invariant, text: violation.text }
}
process.stdout.write(`${JSON.stringify({ seeds, found })}\n`)
// What a broken program has left pending must not keep this one.
process.exit(0)
