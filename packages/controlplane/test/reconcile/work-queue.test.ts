import t from 'tap'

import { WorkQueue } from '../../src/reconcile/work-queue.ts'

t.test('what is wanted comes first, and nothing is starved', async (t) => {
  const queue = new WorkQueue()
  for (const key of ['r1', 'r2']) queue.add(key, 'routine')
  for (const key of ['f1', 'f2']) queue.add(key, 'follow-up')
  for (const key of ['o1', 'o2']) queue.add(key, 'observed')
  for (const key of ['w1', 'w2']) queue.add(key, 'wanted')
  t.strictSame([...queue.drain()], ['w1', 'w2', 'o1', 'f1', 'r1', 'o2', 'f2', 'r2'])
  t.equal(queue.size, 0)
})

t.test('a key is there once, as urgent as anybody has asked', async (t) => {
  const queue = new WorkQueue()
  queue.add('a', 'routine')
  queue.add('b', 'observed')
  queue.add('a', 'observed')
  queue.add('b', 'routine')
  t.equal(queue.size, 2)
  t.strictSame([...queue.drain()], ['b', 'a'])
})

t.test('what is not taken stays', async (t) => {
  const queue = new WorkQueue()
  for (const key of ['a', 'b', 'c']) queue.add(key, 'observed')
  for (const key of queue.drain()) if (key === 'b') break
  t.strictSame([...queue.drain()], ['c'])
})
