import { unobserved, type Assignment, type InstanceReport } from '@bulkhead/shared'
import t from 'tap'

import {
  followClock,
  sameClock,
  toHostTime,
  toOurTime,
} from '../../src/sessions/core/host-clock.ts'

const nowMs = 1_000_000_000
const hourMs = 3_600_000

const follow = (...differences: number[]) =>
  differences.reduce(
    (clock, difference) => followClock(clock, nowMs + difference, nowMs),
    sameClock,
  ).offsetMs

t.test('the offset of a clock', async (t) => {
  const cases: [string, number[], number][] = [
    ['nothing is known', [], 0],
    ['what the network takes is no offset', [-3, -200, 0], 0],
    ['an hour ahead', [hourMs], hourMs],
    ['an hour behind', [-hourMs], -hourMs],
    ['small changes are not followed', [hourMs, hourMs - 40, hourMs + 30], hourMs],
    ['a message that was long on its way is not believed', [0, -5000, -1, -7000, 0], 0],
    ['nor a first one, as soon as there is a better one', [-5000, -2], -2],
    ['a clock that was set forward is believed at once', [0, hourMs], hourMs],
    [
      'one that was set back, when nothing else has been heard for a while',
      [hourMs, 0, -1, -2, -1],
      hourMs,
    ],
    ['and then', [hourMs, 0, -1, -2, -1, 0], 0],
  ]
  for (const [what, differences, offset] of cases) t.equal(follow(...differences), offset, what)
})

const report = (change: Partial<InstanceReport>, observed: object): InstanceReport => ({
  instance: 'web-0-x',
  service: 'default/web',
  slot: 0,
  revision: 1,
  origin: 'web-0-x',
  predecessor: null,
  attempt: 0,
  startAtMs: 0,
  hostPorts: {},
  ...change,
  observed: { ...unobserved, ...observed },
})

t.test('times of reports become ours', async (t) => {
  const ahead = nowMs + hourMs
  const told = report(
    { startAtMs: ahead + 8000 },
    { startedAtMs: ahead - 9000, healthySinceMs: ahead - 4000 },
  )
  t.match(toOurTime(told, hourMs, nowMs), {
    startAtMs: nowMs + 8000,
    observed: { startedAtMs: nowMs - 9000, healthySinceMs: nowMs - 4000, finishedAtMs: null },
  })
  const odd = report({}, { healthySinceMs: nowMs + 30, finishedAtMs: nowMs + hourMs })
  t.match(
    toOurTime(odd, 0, nowMs),
    { observed: { healthySinceMs: nowMs, finishedAtMs: nowMs } },
    'what was is not ahead of us',
  )
  const exact = report({ startAtMs: nowMs }, { startedAtMs: nowMs - 1 })
  t.same(toOurTime(exact, 0, nowMs), exact)
})

t.test("times of assignments become the host's", async (t) => {
  const assignment = { instance: 'web-0-x', startAtMs: nowMs } as Assignment
  t.equal(toHostTime(assignment, -hourMs).startAtMs, nowMs - hourMs)
  t.equal(toHostTime(assignment, 0), assignment)
})
