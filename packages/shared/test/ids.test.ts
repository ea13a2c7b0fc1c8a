import t from 'tap'

import { firstInstanceId, successorInstanceId } from '../src/index.ts'

t.test('ids are what they have ever been: containers and journals bear them', async (t) => {
  const first = firstInstanceId('seed', 'default/web', 0, 1)
  t.equal(first, 'web-0-yr3tzc8c')
  t.equal(successorInstanceId(first), 'web-0-rxpy499p')
  t.equal(successorInstanceId(successorInstanceId(first)), 'web-0-p24hpshc')
})

t.test('what the id is derived from counts, every part of it', async (t) => {
  const ids = [
    firstInstanceId('seed', 'default/web', 0, 1),
    firstInstanceId('other', 'default/web', 0, 1),
    firstInstanceId('seed', 'test/web', 0, 1),
    firstInstanceId('seed', 'default/web', 1, 1),
    firstInstanceId('seed', 'default/web', 0, 2),
  ]
  t.equal(new Set(ids).size, ids.length)
})
