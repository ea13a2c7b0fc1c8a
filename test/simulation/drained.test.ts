import t from 'tap'

import { drained } from './drained.ts'

/** More than one turn of the event loop. */
const rounds = 600

t.test('whatever promises have set off is done by then, however long the chain', async (t) => {
  for (let round = 0; round < rounds; round++) {
    let left = 3
    const next = (): void => {
      left -= 1
      if (left > 0) void Promise.resolve().then(() => process.nextTick(next))
    }
    queueMicrotask(next)
    await drained()
    if (left > 0) t.fail(`${left} left in round ${round}`)
  }
  t.pass(`${rounds} rounds`)
})

t.test('the event loop goes round all the same', async (t) => {
  const came = new AbortController()
  setTimeout(() => came.abort(), 1)
  const untilMs = performance.now() + 5000
  while (!came.signal.aborted && performance.now() < untilMs) await drained()
  t.ok(came.signal.aborted)
})
