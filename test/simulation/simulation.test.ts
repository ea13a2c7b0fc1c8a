import { randomInt } from 'node:crypto'

import t, { type Test } from 'tap'

import { forbidRealTime } from './guard.ts'
import { run } from './run.ts'
import { cutOffAndRestarted } from './scenario/cut-off.ts'
import { generate } from './scenario/generate.ts'
import { formatTime } from './timeline.ts'

/** Seeds in which deliberate bugs are found: between them they reach most of what can go wrong. */
const known = [2, 3, 5, 7, 8, 12, 13, 20, 24, 41, 70, 71, 103, 111]
const first = 1000
const fixedForMs = 8_000
const newForMs = 8_000

async function keeps(t: Test, seed: number): Promise<void> {
  const { violation } = await run(generate(seed))
  if (violation === null) return
  const { invariant, atMs, text } = violation
  t.fail(`seed ${seed} broke ${invariant} at ${formatTime(atMs)}`, {
    text,
    again: `npm run simulate -- --seed ${seed}`,
  })
}

/** Plays seeds from `from` on for about so long; returns how many. */
async function play(t: Test, from: number, forMs: number): Promise<number> {
  const endMs = performance.now() + forMs
  let seed = from
  for (; performance.now() < endMs; seed++) await keeps(t, seed)
  return seed - from
}

t.setTimeout(110_000)

t.test('a seed gives the same run, to the last event', async (t) => {
  for (const seed of [3, 35]) {
    const [one, other] = [await run(generate(seed)), await run(generate(seed))]
    t.equal(one.hash, other.hash)
    const told = await run(generate(seed), { keepsTimeline: true })
    t.equal(told.hash, one.hash, 'whether it is told or not')
    t.equal(one.events, other.events)
  }
  t.not((await run(generate(4))).hash, (await run(generate(3))).hash)
})

t.test('within a run nothing asks the machine for time or chance', async (t) => {
  const allow = forbidRealTime()
  const uses = [
    () => Date.now(),
    () => new Date(),
    () => Math.random(),
    () => performance.now(),
    () => setTimeout(() => {}, 0),
  ]
  const failures = uses.map((use) => {
    try {
      use()
      return ''
    } catch (error) {
      return String(error)
    }
  })
  const isSafe = new Date(0).getTime() === 0
  allow()
  t.ok(isSafe, 'a date that is given is a value like any other')
  for (const failure of failures) t.match(failure, 'come from the seed only')
  t.ok(Date.now() > 0)
})

t.test('an agent that ends again and again while it is cut off has no longer a lease for that', async (t) => {
  const { violation } = await run(cutOffAndRestarted)
  t.equal(violation, null)
})

t.test('seeds that find deliberate bugs', async (t) => {
  for (const seed of known) await keeps(t, seed)
  t.pass(`${known.length} seeds`)
})

t.test('fixed seeds', async (t) => {
  const count = await play(t, first, fixedForMs)
  t.pass(`seeds ${first} to ${first + count - 1}`)
})

t.test('new seeds', async (t) => {
  const from = randomInt(2 ** 31)
  const count = await play(t, from, newForMs)
  t.pass(`seeds ${from} to ${from + count - 1}`)
})
