import t from 'tap'

import { byText, SortedList, SortedLists } from '../../src/state/sorted-list.ts'

t.test('who has read a list keeps what was read', async (t) => {
  const list = new SortedList(byText)
  for (const text of ['b', 'a', 'c']) list.put(text)
  const read = list.read()
  for (const text of read) list.remove(text)
  t.strictSame(read, ['a', 'b', 'c'])
  t.strictSame(list.read(), [])
  list.put('d')
  t.strictSame(list.read(), ['d'])
})

t.test('an equal item takes the place', async (t) => {
  const list = new SortedList<{ key: string; value: number }>((a, b) => byText(a.key, b.key))
  list.put({ key: 'a', value: 1 })
  list.put({ key: 'a', value: 2 })
  list.remove({ key: 'b', value: 0 })
  t.strictSame(list.read(), [{ key: 'a', value: 2 }])
  t.equal(list.find({ key: 'a', value: 0 })?.value, 2)
  t.equal(list.find({ key: 'b', value: 0 }), undefined)
})

t.test('lists under keys', async (t) => {
  const lists = new SortedLists(byText)
  lists.put('x', 'b')
  lists.put('x', 'a')
  t.strictSame(lists.read('x'), ['a', 'b'])
  lists.remove('x', 'a')
  lists.remove('x', 'b')
  lists.remove('y', 'b')
  t.strictSame(lists.read('x'), [])
  t.equal(lists.find('x', 'a'), undefined)
})
