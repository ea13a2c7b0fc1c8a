import t from 'tap'

import { counted, listed, shownTime } from '../src/wording.ts'

t.test('one is singular, everything else is plural', async (t) => {
  t.equal(counted(1, 'failure'), '1 failure')
  for (const count of [0, 2, 11]) t.equal(counted(count, 'failure'), `${count} failures`)
  t.equal(counted(2, 'qualifies', 'qualify'), '2 qualify')
})

t.test('times are told to the second', async (t) => {
  t.equal(shownTime(1_700_000_000_999), '2023-11-14T22:13:20Z')
})

t.test('lists end in a word', async (t) => {
  t.equal(listed([], 'and'), '')
  t.equal(listed(['a'], 'and'), 'a')
  t.equal(listed(['a', 'b'], 'or'), 'a or b')
  t.equal(listed(['a', 'b', 'c'], 'and'), 'a, b and c')
})
