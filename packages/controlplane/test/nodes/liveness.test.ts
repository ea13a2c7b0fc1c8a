import { test } from 'tap'

import { makeConfig } from '../../src/config/config.ts'
import { type Brake, judge, type Heard } from '../../src/nodes/core/liveness.ts'

const config = makeConfig({ nodes: { suspectAfter: '2s', lostAfter: '4s' } }, {}).nodes
const startedAtMs = 0
const nowMs = 100_000

const node = (name: string, silentMs: number, more: Partial<Heard> = {}): Heard => ({
  name,
  liveness: 'ready',
  heardAtMs: nowMs - silentMs,
  engineProblem: '',
  engineDownSinceMs: null,
  confirmedDead: false,
  ...more,
})

/** Heard from just now; its engine has not answered for so long. */
const engineDown = (name: string, downMs: number, liveness: Heard['liveness'] = 'down'): Heard =>
  node(name, 0, { liveness, engineProblem: 'no socket', engineDownSinceMs: nowMs - downMs })

const verdicts = (nodes: Heard[], at = nowMs, brake: Brake | null = null): Record<string, string> =>
  Object.fromEntries(
    judge(nodes, at, startedAtMs, brake, config).verdicts.map(({ name, liveness }) => [name, liveness]),
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
    ['engine down', engineDown('a', 0, 'ready'), { a: 'down' }],
    ['engine down, but not for long', engineDown('a', 59_999), {}],
    ['engine down for downAfter', engineDown('a', 60_000), { a: 'lost' }],
    ['engine down for long, and only now heard of', engineDown('a', 60_000, 'ready'), { a: 'lost' }],
    ['lost, and its agent is back, but its engine is not', engineDown('a', 1000, 'lost'), {}],
    ['engine down and silent', { ...engineDown('a', 4000), heardAtMs: nowMs - 4000 }, { a: 'lost' }],
    ['lost with its engine, which is back', node('a', 0, { liveness: 'lost' }), { a: 'ready' }],
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
  t.same(held.brake, { sinceMs: nowMs, manyAtMs: nowMs })
  t.match(held.verdicts[0]?.reason, /2 of 3 nodes are silent at once/)
  const since = { sinceMs: nowMs - config.massLossHoldMs, manyAtMs: nowMs - 100 }
  t.same(verdicts([...silent('a', 'b'), ...alive('c')], nowMs, since), { a: 'lost', b: 'lost' }, 'it holds for a minute only')
  const rest = [...silent('b'), ...alive('a', 'c')]
  const justNow = { sinceMs: nowMs - 20_000, manyAtMs: nowMs - 15_999 }
  t.same(verdicts(rest, nowMs, justNow), { b: 'suspect' }, 'the last of many is no more lost than the first')
  t.match(judge(rest, nowMs, startedAtMs, justNow, config).verdicts[0]?.reason, /others .* have just come back, .* before 16s after them/)
  const over = { ...justNow, manyAtMs: nowMs - 16_000 }
  t.same(verdicts(rest, nowMs, over), { b: 'lost' }, 'one that hiccuped beside a host that is dead delays what has to be done for a moment only')
  const after = judge(alive('a', 'b', 'c'), nowMs, startedAtMs, since, config)
  t.equal(after.brake, null, 'and is released when they are back')
  const confirmed = node('a', 5000, { confirmedDead: true })
  t.same(verdicts([confirmed, ...silent('b'), ...alive('c')]), { a: 'lost', b: 'lost' }, 'one that is confirmed dead does not count')
})

test('engines that are down at once are under the brake too', async (t) => {
  const alive = (...names: string[]): Heard[] => names.map((name) => node(name, 0))
  const [lost] = judge([engineDown('a', 61_000), ...alive('b', 'c')], nowMs, startedAtMs, null, config).verdicts
  t.equal(lost?.reason, 'its engine has not answered for 61s: no socket')
  const many = [engineDown('a', 60_000), engineDown('b', 60_000, 'ready'), ...alive('c')]
  const held = judge(many, nowMs, startedAtMs, null, config)
  t.same(held.brake, { sinceMs: nowMs, manyAtMs: nowMs })
  t.match(held.verdicts, [{ name: 'b', liveness: 'down', reason: /2 of 3 nodes are silent or without an engine at once/ }])
  t.same(verdicts(many, nowMs, { sinceMs: nowMs - config.massLossHoldMs, manyAtMs: nowMs - 100 }), { a: 'lost', b: 'lost' }, 'it holds for a minute only')
  const mixed = [engineDown('a', 60_000), node('b', 5000), ...alive('c')]
  t.same(verdicts(mixed), { b: 'suspect' }, 'both kinds of trouble count')
  const short = [engineDown('a', 1000), node('b', 5000), ...alive('c')]
  t.same(verdicts(short), { b: 'lost' }, 'what would not be given up yet does not')
})
