import fc from 'fast-check'
import t from 'tap'

import { changesBetween, pointerSegments, pointerTo, type FieldChange } from '../../src/index.ts'

t.test('the smallest places that differ, by path', async (t) => {
  const before = { replicas: 2, env: { A: '1', 'a/b~c': 'x' }, args: ['a', 'b'], gone: { x: 1 } }
  const after = { replicas: 3, env: { A: '1', 'a/b~c': 'y' }, args: ['a'], fresh: null }
  t.same(changesBetween(before, after), [
    { path: '/args/1', before: 'b' },
    { path: '/env/a~1b~0c', before: 'x', after: 'y' },
    { path: '/fresh', after: null },
    { path: '/gone', before: { x: 1 } },
    { path: '/replicas', before: 2, after: 3 },
  ])
  t.same(changesBetween(undefined, { a: 1 }), [{ path: '', after: { a: 1 } }])
  t.same(changesBetween({ a: [] }, { a: {} }), [{ path: '/a', before: [], after: {} }])
  t.same(changesBetween({ a: null }, { a: {} }), [{ path: '/a', before: null, after: {} }])
})

/** Applies changes to a copy, deepest list indexes last so that removals keep the others in place. */
function patched(value: unknown, changes: readonly FieldChange[]): unknown {
  let root: unknown = structuredClone(value)
  for (const change of changes.toReversed()) {
    const segments = pointerSegments(change.path)
    const last = segments.pop()
    if (last === undefined) {
      root = structuredClone(change.after)
      continue
    }
    const parent = segments.reduce(
      (node, segment) => (node as Record<string, unknown>)[segment],
      root,
    ) as Record<string, unknown>
    if (Object.hasOwn(change, 'after')) parent[last] = structuredClone(change.after)
    else delete parent[last]
  }
  return JSON.parse(JSON.stringify(root), (_key, member: unknown) =>
    Array.isArray(member) ? member.filter((item) => item !== null) : member,
  )
}

const json = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom('a', 'b', 1, true),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('k', 'l/m', 'n~o', '0'), tie('value'), { maxKeys: 3 }),
  ),
})).value

t.test('the changes say all that differs', async (t) => {
  fc.assert(
    fc.property(json, json, (before, after) => {
      const changes = changesBetween(before, after)
      const paths = changes.map(({ path }) => path)
      t.same(patched(before, changes), after)
      t.same(paths, paths.toSorted())
      return changes.length > 0 || JSON.stringify(before) === JSON.stringify(after)
    }),
  )
})

t.test('nothing differs from itself', async () => {
  fc.assert(
    fc.property(json, (value) => changesBetween(value, structuredClone(value)).length === 0),
  )
})

t.test('pointers', async (t) => {
  t.equal(pointerTo(), '')
  t.equal(pointerTo('a/b', 0, '~'), '/a~1b/0/~0')
  fc.assert(
    fc.property(fc.array(fc.string()), (segments) => {
      return JSON.stringify(pointerSegments(pointerTo(...segments))) === JSON.stringify(segments)
    }),
  )
})
