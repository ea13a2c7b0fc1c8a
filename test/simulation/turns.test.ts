import t from 'tap'

import { inTurns } from './turns.ts'

/** More than one round of the event loop. */
const turns = 600

t.test('what promises have set off is done by the next turn, however long the chain', async (t) => {
  let [count, left] = [0, 0]
  const next = (): void => {
    left -= 1
    if (left > 0) void Promise.resolve().then(() => process.nextTick(next))
  }
  await inTurns(() => {
    if (left > 0) t.fail(`${left} left in turn ${count}`)
    count += 1
    left = 3
    queueMicrotask(next)
    return count < turns
  })
  t.equal(count, turns)
})

t.test('the event loop goes round all the same', async (t) => {
  const came = new AbortController()
  setTimeout(() => came.abort(), 1)
  const untilMs = performance.now() + 5000
  await inTurns(() => !came.signal.aborted && performance.now() < untilMs)
  t.ok(came.signal.aborted)
})

t.test('what is thrown ends it, and something else may begin', async (t) => {
  await t.rejects(
    inTurns(() => {
      throw new Error('no further')
    }),
    { message: 'no further' },
  )
  let count = 0
  const first = inTurns(() => ++count < 3)
  await t.rejects(
    inTurns(() => false),
    'while another one is under way',
  )
  await first
  t.equal(count, 3)
})
