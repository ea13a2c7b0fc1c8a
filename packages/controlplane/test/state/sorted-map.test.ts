import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import { SortedMap } from '../../src/state/sorted-map.ts'

const key = fc.nat({ max: 3000 }).map((number) => `k${number}`)

t.test('iterates by key like a sorted Map, through splits and deletions of chunks', async () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(key, fc.boolean()), { minLength: 0, maxLength: 4000, size: 'max' }),
      (steps) => {
        const map = new SortedMap<number>()
        const model = new Map<string, number>()
        for (const [index, [name, put]] of steps.entries()) {
          if (put) map.set(name, index)
          else assert.equal(map.delete(name), model.has(name))
          if (put) model.set(name, index)
          else model.delete(name)
        }
        const expected = [...model].toSorted(([a], [b]) => (a < b ? -1 : 1))
        assert.deepEqual([...map], expected)
        assert.deepEqual(
          [...map.keys()],
          expected.map(([name]) => name),
        )
        assert.deepEqual(
          [...map.values()],
          expected.map(([, value]) => value),
        )
        assert.equal(map.size, model.size)
        const visited: string[] = []
        map.forEach((value, name, whole) => {
          assert.equal(whole.get(name), value)
          visited.push(name)
        })
        assert.equal(visited.length, model.size)
      },
    ),
    { numRuns: 60 },
  )
})

t.test('what stays while it is changed during iteration is seen once and in order', async () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(key, { minLength: 1, maxLength: 1500, size: 'max' }),
      fc.array(fc.tuple(fc.nat(20), key, fc.boolean()), { maxLength: 100 }),
      (names, changes) => {
        const map = new SortedMap<number>()
        for (const name of names) map.set(name, 0)
        const staying = new Set(names)
        for (const [, name, put] of changes) if (!put) staying.delete(name)
        const seen: string[] = []
        const waiting = [...changes]
        for (const name of map.keys()) {
          seen.push(name)
          while (waiting[0] !== undefined && waiting[0][0] % 3 === seen.length % 3) {
            const [, other, put] = waiting.shift() ?? [0, '', true]
            if (put) map.set(other, 1)
            else map.delete(other)
          }
        }
        assert.deepEqual(seen, [...new Set(seen)].toSorted())
        for (const name of staying) assert.ok(seen.includes(name), name)
      },
    ),
    { numRuns: 100 },
  )
})

t.test('missing keys', async (t) => {
  const map = new SortedMap<number>()
  t.equal(map.get('x'), undefined)
  t.equal(map.has('x'), false)
  t.equal(map.delete('x'), false)
  t.strictSame([...map], [])
})
