import t, { type Test } from 'tap'

import { pauseRollout, resumeRollout } from '../../src/rollout/core/pause.ts'
import { promoteRollout } from '../../src/rollout/core/promote.ts'
import { undoTo } from '../../src/rollout/core/undo.ts'
import { counts, run, running, type Update } from '../support/rollouts.ts'
import { brief, Scene } from '../support/scene.ts'

const image = 'registry.test/app:2'
const steps: NonNullable<Update['steps']> = [
  { weight: 10, pause: '1m' },
  { weight: 50, pause: 'manual' },
  { weight: 100 },
]
const canary: Update = { strategy: 'canary', steps, progressDeadline: '2m' }
const rollout = (scene: Scene, to = 2) => scene.state.rollouts.get(`default/web@${to}`)

const near = (t: Test, found: number, wanted: number, what: string): void => {
  t.ok(Math.abs(found - wanted) <= 0.25, `${what}: ${found} is about ${wanted}`)
}

t.test('the first revision has nothing beside it: no steps', async (t) => {
  const scene = running(3, 3, canary)
  t.equal(rollout(scene, 1)?.shift, undefined)
  t.match(rollout(scene, 1), { phase: 'completed', reason: '3 of 3 updated' })
})

t.test('a canary goes its steps, by time and by promotion', async (t) => {
  const scene = running(3, 3, canary)
  scene.apply({ name: 'web', image })
  t.match(brief(scene.state, scene.settle()), ['create 0'], 'one new instance beside three')
  run(scene, 8000)
  t.same(counts(scene), { 1: 3, 2: 1 })
  near(t, scene.share(2), 10, 'the share of the new revision')
  t.match(rollout(scene)?.reason, /^step 1 of 3: 10 % of new traffic until /)
  t.match(rollout(scene)?.shift, { step: 0, weight: 10, promoted: false })
  t.equal(scene.dueAtMs, rollout(scene)?.shift?.dueAtMs)
  run(scene, 45_000)
  t.equal(rollout(scene)?.shift?.step, 0, 'not before its time')
  run(scene, 30_000)
  t.match(rollout(scene)?.reason, 'step 2 of 3: 50 % of new traffic; waits for promote')
  t.same(counts(scene), { 1: 2, 2: 2 }, 'as many old ones as maxSurge lets stay')
  near(t, scene.share(2), 50, 'the share of the new revision')
  t.equal(rollout(scene)?.dueAtMs, null, 'who waits for a person has no deadline')
  run(scene, 3_600_000)
  t.equal(rollout(scene)?.shift?.step, 1)
  t.ok(
    rollout(scene)?.history.some(({ text }) =>
      /only 0 of 50 requests were seen, so that errors were not judged/.test(text),
    ),
  )
  promoteRollout(scene.state, scene.service(), false)
  scene.rest()
  t.match(rollout(scene), { phase: 'completed', reason: '3 of 3 updated' })
  const told = rollout(scene)?.history.filter(({ text }) => text.includes('promoted')) ?? []
  t.same(
    told.map(({ text }) => text),
    ['promoted by controlplane'],
    'by whom, and once',
  )
  t.same(counts(scene), { 2: 3 })
  t.same(scene.weights(), { 2: [100, 100, 100] })
  t.equal(scene.service().status, 'converged')
})

t.test('one replica: the new instance is beside the old one', async (t) => {
  const scene = running(1, 2, canary)
  scene.apply({ name: 'web', image })
  run(scene, 8000)
  t.same(counts(scene), { 1: 1, 2: 1 })
  near(t, scene.share(2), 10, 'the share of the new revision')
  promoteRollout(scene.state, scene.service(), true)
  run(scene, 30_000)
  scene.rest()
  t.match(rollout(scene)?.phase, 'completed')
})

t.test('too many errors: back at once, with the reason', async (t) => {
  const scene = running(10, 5, canary)
  scene.apply({ name: 'web', image })
  run(scene, 8000)
  const [canaryOne] = scene.live().filter(({ revision }) => revision === 2)
  scene.traffic.set(canaryOne?.id ?? '', { requests: 49, errors: 49 })
  run(scene, 2000)
  t.equal(rollout(scene)?.phase, 'progressing', 'too few requests to say anything')
  scene.traffic.set(canaryOne?.id ?? '', { requests: 50, errors: 3 })
  scene.settle()
  t.match(rollout(scene), {
    phase: 'rolled-back',
    reason:
      /^6 % of 50 requests to revision 2 have failed, more than 5 %; back to the content of revision 1$/,
  })
  t.equal(scene.share(2) || 0, 0, 'no new traffic')
  t.equal(rollout(scene, 3)?.shift, undefined, 'the way back has no steps')
  scene.rest()
  t.same(counts(scene), { 1: 10 })
  t.match(rollout(scene, 3)?.phase, 'completed')
})

/** Every second until it is over: who was sent traffic, and how many of the bad revision were there. */
function goBack(
  scene: Scene,
): { readonly sent: number; readonly share: number; readonly bad: number }[] {
  const seen: { sent: number; share: number; bad: number }[] = []
  for (let second = 0; second < 120 && rollout(scene, 3)?.phase !== 'completed'; second++) {
    scene.settle()
    const sent = Object.values(scene.weights())
      .flat()
      .filter((weight) => weight > 0).length
    seen.push({ sent, share: scene.share(2) || 0, bad: counts(scene)[2] ?? 0 })
    scene.agents()
    scene.wait(1000)
  }
  return seen
}

t.test(
  'the way back: traffic returns as capacity does, and no few bear what was meant for many',
  async (t) => {
    const halves: NonNullable<Update['steps']> = [{ weight: 50, pause: 'manual' }]
    for (const maxUnavailable of [0, 2]) {
      const scene = running(6, 6, { ...canary, steps: halves, maxSurge: 1, maxUnavailable })
      scene.apply({ name: 'web', image })
      run(scene, 60_000)
      const before = counts(scene)
      const [one] = scene.live().filter(({ revision }) => revision === 2)
      scene.traffic.set(one?.id ?? '', { requests: 100, errors: 50 })
      scene.settle()
      t.equal(rollout(scene)?.phase, 'rolled-back')
      const floor = 6 - maxUnavailable
      const lacking = Math.max(floor - (before[1] ?? 0), 0)
      near(t, scene.share(2), (100 * lacking) / floor, 'what the old ones cannot bear')
      const seen = goBack(scene)
      t.ok(seen.length < 60, `over after ${seen.length} s`)
      t.ok(
        seen.every(({ sent }) => sent >= floor),
        'never fewer than the update policy allows',
      )
      const shares = seen.map(({ share }) => share)
      t.strictSame(
        shares,
        shares.toSorted((a, b) => b - a),
        'it never gets more than it had',
      )
      t.equal(shares.at(-1), 0)
      scene.rest()
      t.same(
        Object.values(counts(scene)).reduce((a, b) => a + b),
        6,
      )
      t.equal(counts(scene)[2], undefined)
    }
  },
)

t.test('the way back with all old ones still there is at once', async (t) => {
  const scene = running(4, 6, { ...canary, steps: [{ weight: 50, pause: 'manual' }], maxSurge: 4 })
  scene.apply({ name: 'web', image })
  run(scene, 30_000)
  t.same(counts(scene), { 1: 4, 2: 2 })
  undoTo(scene.state, scene.service(), null)
  scene.settle()
  t.equal(scene.share(2) || 0, 0)
})

t.test('nothing good is stopped on the way back for the sake of what is bad', async (t) => {
  const scene = running(4, 6, { ...canary, steps: [{ weight: 50, pause: 'manual' }], maxSurge: 1 })
  scene.apply({ name: 'web', image })
  run(scene, 60_000)
  undoTo(scene.state, scene.service(), null)
  scene.settle()
  const good = scene.live().filter(({ revision }) => revision === 1)
  scene.node(good[0]?.node ?? '', { admittance: 'draining' })
  for (let second = 0; second < 60; second++) {
    scene.settle()
    const bad = scene.live().filter(({ revision }) => revision === 2).length
    const sent = Object.values(scene.weights())
      .flat()
      .filter((weight) => weight > 0).length
    t.ok(sent >= 4)
    if (bad > 0) t.ok(scene.live().some(({ id }) => id === good[0]?.id))
    scene.agents()
    scene.wait(1000)
  }
  scene.rest()
  t.same(
    Object.values(counts(scene)).reduce((a, b) => a + b),
    4,
  )
  t.notOk(
    scene.live().some(({ id }) => id === good[0]?.id),
    'the drain goes on afterwards',
  )
})

t.test('what finds no place after a leftover gets that of what has been replaced', async (t) => {
  const scene = new Scene('n1', 'n2', 'n3')
  const placement = { separate: [{ from: 'self', by: 'node' }] }
  const update: Update = { ...canary, steps: [{ weight: 50, pause: 'manual' }], maxSurge: 1 }
  scene.apply({ name: 'web', replicas: 2, ports: { http: 80 }, update, placement })
  scene.rest()
  const failing = scene.in(1).id
  scene.observe(failing, { health: 'unhealthy', healthySinceMs: null })
  scene.apply({ name: 'web', image })
  scene.settle()
  scene.failed(failing)
  run(scene, 20_000)
  const left = scene.in(1)
  t.equal(left.revision, 2)
  scene.node(left.node ?? '', { admittance: 'draining' })
  scene.apply({
    name: 'web',
    image: 'registry.test/app:3',
    update: { ...update, strategy: 'rolling' },
  })
  run(scene, 60_000)
  t.same(counts(scene), { 3: 2 })
  t.equal(scene.service().status, 'converged')
})

t.test('exactly as many errors as allowed are none too many; with pause it stops', async (t) => {
  const scene = running(2, 3, { ...canary, onFailure: 'pause' })
  scene.apply({ name: 'web', image })
  run(scene, 8000)
  const [one] = scene.live().filter(({ revision }) => revision === 2)
  scene.traffic.set(one?.id ?? '', { requests: 100, errors: 5 })
  run(scene, 2000)
  t.equal(rollout(scene)?.phase, 'progressing')
  scene.traffic.set(one?.id ?? '', { requests: 100, errors: 6 })
  scene.settle()
  t.match(rollout(scene), { phase: 'paused', reason: /^6 % of 100 requests/ })
  near(t, scene.share(2), 10, 'what it had stays')
  run(scene, 600_000)
  t.match(rollout(scene)?.phase, 'paused')
  scene.traffic.clear()
  resumeRollout(scene.state, scene.service())
  run(scene, 90_000)
  t.equal(rollout(scene)?.shift?.step, 1)
})

t.test('an instance of the new revision that stays unhealthy', async (t) => {
  const scene = running(3, 3, canary)
  scene.apply({ name: 'web', image })
  run(scene, 8000)
  const one = scene.live().find(({ revision }) => revision === 2)
  const sick = { health: 'unhealthy', healthySinceMs: null, reason: 'readiness: HTTP 503' } as const
  scene.observe(one?.id ?? '', sick)
  scene.settle()
  t.equal(scene.dueAtMs, scene.state.nowMs + 10_000)
  scene.wait(9999)
  scene.settle()
  scene.healthy(one?.id ?? '')
  scene.wait(5)
  scene.settle()
  t.equal(rollout(scene)?.shift?.sickSinceMs, null, 'well again in time')
  scene.observe(one?.id ?? '', sick)
  scene.settle()
  scene.wait(10_000)
  scene.settle()
  t.match(rollout(scene), {
    phase: 'rolled-back',
    reason: /of revision 2 has not been healthy for 10s: readiness: HTTP 503; back to/,
  })
})

t.test('pause, promote and undo at any time', async (t) => {
  const scene = running(3, 3, canary)
  scene.apply({ name: 'web', image })
  pauseRollout(scene.state, scene.service())
  run(scene, 100_000)
  t.same(counts(scene), { 1: 3 }, 'paused before it began')
  promoteRollout(scene.state, scene.service(), false)
  run(scene, 20_000)
  t.equal(rollout(scene)?.shift?.step, 1, 'promoted ahead of time: over as soon as it is reached')
  pauseRollout(scene.state, scene.service())
  run(scene, 30_000)
  near(t, scene.share(2), 50, 'a paused step keeps its share')
  undoTo(scene.state, scene.service(), null)
  scene.settle()
  near(t, scene.share(2), 100 / 3, 'undone: no more than what the old ones cannot bear')
  scene.rest()
  t.same(counts(scene), { 3: 1, 1: 2 })
  t.match(rollout(scene, 3), { phase: 'completed' })
})

t.test('a newer revision in the middle begins anew, and what was there gets nothing', async (t) => {
  const scene = running(3, 4, canary)
  scene.apply({ name: 'web', image })
  run(scene, 8000)
  scene.apply({ name: 'web', image: 'registry.test/app:3' })
  scene.settle()
  t.equal(rollout(scene)?.phase, 'superseded')
  t.equal(scene.share(2) || 0, 0)
  run(scene, 20_000)
  t.same(counts(scene), { 1: 3, 3: 1 })
  near(t, scene.share(3), 10, 'the share of the newest revision')
  t.match(rollout(scene, 3)?.shift, { step: 0, weight: 10 })
})

t.test('where nothing fits beside, it goes stop-first and keeps the floor', async (t) => {
  const scene = new Scene('n1', 'n2', 'n3')
  const placement = { separate: [{ from: 'self', by: 'node' }] }
  scene.apply({ name: 'web', replicas: 3, ports: { http: 80 }, update: canary, placement })
  scene.rest()
  scene.apply({ name: 'web', image })
  t.same(brief(scene.state, scene.settle()), ['stop 0'])
  run(scene, 10_000)
  t.same(counts(scene), { 1: 2, 2: 1 })
  near(t, scene.share(2), 10, 'the share of the new revision')
  promoteRollout(scene.state, scene.service(), true)
  run(scene, 60_000)
  scene.rest()
  t.match(rollout(scene)?.phase, 'completed')
})

t.test('what is lost on either side is replaced by its like', async (t) => {
  const scene = running(2, 5, canary)
  scene.apply({ name: 'web', image })
  run(scene, 8000)
  const [old] = scene.live().filter(({ revision, slot }) => revision === 1 && slot === 0)
  scene.node(old?.node ?? '', { liveness: 'lost' })
  run(scene, 8000)
  t.same(counts(scene), { 1: 2, 2: 1 })
  t.notOk(scene.live().some(({ id }) => id === old?.id))
  const [one] = scene.live().filter(({ revision }) => revision === 2)
  scene.node(one?.node ?? '', { admittance: 'draining' })
  run(scene, 30_000)
  t.same(counts(scene), { 1: 2, 2: 1 })
  t.not(scene.live().find(({ revision }) => revision === 2)?.node, one?.node)
})

t.test('scaled in the middle, both sides follow', async (t) => {
  const scene = running(2, 4, canary)
  scene.apply({ name: 'web', image })
  run(scene, 8000)
  scene.apply({ name: 'web', replicas: 6 })
  run(scene, 30_000)
  t.same(counts(scene), { 1: 6, 2: 1 })
  scene.apply({ name: 'web', replicas: 1 })
  run(scene, 30_000)
  t.same(counts(scene), { 1: 1, 2: 1 })
  scene.apply({ name: 'web', replicas: 0 })
  scene.rest()
  t.same(counts(scene), {})
})

t.test('nothing old that is healthy: no steps, so that what is broken is mended', async (t) => {
  const scene = running(3, 3, canary)
  for (const { id } of scene.live())
    scene.observe(id, { health: 'unhealthy', healthySinceMs: null })
  scene.apply({ name: 'web', image })
  scene.settle()
  t.equal(rollout(scene)?.shift, null)
  t.ok(
    rollout(scene)?.history.some(({ text }) => /nothing of the old revision is healthy/.test(text)),
  )
  scene.rest()
  t.same(counts(scene), { 2: 3 })
})

t.test('a restart of what serves has no steps; one of a canary is a canary', async (t) => {
  const scene = running(2, 3, canary)
  const again = (generation: number): void => scene.restart(generation)
  again(1)
  t.equal(rollout(scene)?.shift, undefined)
  scene.rest()
  scene.apply({ name: 'web', image })
  again(1)
  t.equal(rollout(scene, 4)?.shift?.strategy, 'canary')
})
