import t from 'tap'

import { WorkQueue } from '../../src/reconcile/work-queue.ts'

t.test('what is urgent comes first, and the rest is not starved', async (t) => {
  const queue = new WorkQueue()
  for (const key of ['r1', 'r2']) queue.add(key, 'routine')
  for (const key of ['w1', 'w2']) queue.add(key, 'waiting')
  for (const key of ['u1', 'u2']) queue.add(key, 'urgent')
  t.strictSame([...queue.drain()], ['w1', 'r1', 'u1', 'u2', 'w2', 'r2'])
  t.equal(queue.size, 0)
})

t.test('a key is there once, as urgent as anybody has asked', async (t) => {
  const queue = new WorkQueue()
  queue.add('a', 'routine')
  queue.add('b', 'urgent')
  queue.add('a', 'urgent')
  queue.add('b', 'routine')
  t.equal(queue.size, 2)
  t.strictSame([...queue.drain()], ['b', 'a'])
})

t.test('what is not taken stays', async (t) => {
  const queue = new WorkQueue()
  for (const key of ['a', 'b', 'c']) queue.add(key, 'urgent')
  for (const key of queue.drain()) if (key === 'b') break
  t.strictSame([...queue.drain()], ['c'])
})
