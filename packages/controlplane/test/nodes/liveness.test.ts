import { test } from 'tap'

import { makeConfig } from '../../src/config/config.ts'
import { judge, type Heard } from '../../src/nodes/core/liveness.ts'

const config = makeConfig({}, {}).nodes
const startedAtMs = 0
const nowMs = 100_000

const node = (name: string, silentMs: number, more: Partial<Heard> = {}): Heard => ({
  name,
  liveness: 'ready',
  heardAtMs: nowMs - silentMs,
  engineProblem: '',
  confirmedDead: false,
  ...more,
})

const verdicts = (nodes: Heard[], at = nowMs, brakeSince: number | null = null): Record<string, string> =>
  Object.fromEntries(
    judge(nodes, at, startedAtMs, brakeSince, config).verdicts.map(({ name, liveness }) => [name, liveness]),
  )

test('who is ready, suspect, lost or down', async (t) => {
  const others = [node('b', 0), node('c', 0), node('d', 0)]
  const cases: [string, Heard, Record<string, string>][] = [
    ['heard from just now', node('a', 0), {}],
    ['silent, but not for long', node('a', 1999), {}],
    ['silent for suspectAfter', node('a', 2000), { a: 'suspect' }],
    ['silent for lostAfter', node('a', 4000), { a: 'lost' }],
    ['lost stays lost', node('a', 9000, { liveness: 'lost' }), {}],
    ['lost and back', node('a', 0, { liveness: 'lost' }), { a: 'ready' }],
    ['engine down', node('a', 0, { engineProblem: 'no socket' }), { a: 'down' }],
    ['engine down and silent', node('a', 4000, { liveness: 'down', engineProblem: 'no socket' }), { a: 'lost' }],
    ['engine back', node('a', 0, { liveness: 'down' }), { a: 'ready' }],
    ['never heard since our start', node('a', 0, { liveness: 'suspect', heardAtMs: null }), { a: 'lost' }],
    ['confirmed dead, although ready', node('a', 0, { confirmedDead: true }), { a: 'lost' }],
  ]
  for (const [what, one, expected] of cases) t.same(verdicts([one, ...others]), expected, what)
})

test('after our own start nobody is judged for a while', async (t) => {
  const unheard = node('a', 0, { heardAtMs: null })
  t.same(verdicts([unheard], startedAtMs + 9_999), {})
  t.same(verdicts([unheard], startedAtMs + 10_000), { a: 'lost' })
  const lost = node('a', 0, { heardAtMs: null, liveness: 'lost' })
  t.same(verdicts([lost], startedAtMs + 100), {}, 'nor is a lost node taken for back')
})

test('the brake', async (t) => {
  const silent = (...names: string[]): Heard[] => names.map((name) => node(name, 5000))
  const alive = (...names: string[]): Heard[] => names.map((name) => node(name, 0))
  t.same(verdicts([...silent('a'), ...alive('b', 'c')]), { a: 'lost' }, 'one of three is no mass')
  t.same(verdicts([...silent('a', 'b'), ...alive('c')]), { a: 'suspect', b: 'suspect' })
  t.same(verdicts([...silent('a', 'b', 'c'), ...alive('d', 'e', 'f', 'g', 'h', 'i', 'j')]), {
    a: 'lost',
    b: 'lost',
    c: 'lost',
  }, 'three of ten are not more than 30 %')
  const held = judge([...silent('a', 'b'), ...alive('c')], nowMs, startedAtMs, null, config)
  t.equal(held.brakeSinceMs, nowMs)
  t.match(held.verdicts[0]?.reason, /2 of 3 nodes are silent at once/)
  const since = nowMs - config.massLossHoldMs
  t.same(verdicts([...silent('a', 'b'), ...alive('c')], nowMs, since), { a: 'lost', b: 'lost' }, 'it holds for a minute only')
  const after = judge(alive('a', 'b', 'c'), nowMs, startedAtMs, since, config)
  t.equal(after.brakeSinceMs, null, 'and is released when they are back')
  const confirmed = node('a', 5000, { confirmedDead: true })
  t.same(verdicts([confirmed, ...silent('b'), ...alive('c')]), { a: 'lost', b: 'lost' }, 'one that is confirmed dead does not count')
})
