import t from 'tap'

import { pauseRollout, resumeRollout } from '../../src/rollout/core/pause.ts'
import { promoteRollout } from '../../src/rollout/core/promote.ts'
import { undoTo } from '../../src/rollout/core/undo.ts'
import { counts, run, running, type Update } from '../support/rollouts.ts'
import { brief, Scene } from '../support/scene.ts'

const image = 'registry.test/app:2'
const blueGreen: Update = { strategy: 'blue-green', keepOld: '5m', progressDeadline: '2m' }
const manual: Update = { ...blueGreen, promote: 'manual' }
const rollout = (scene: Scene, to = 2) => scene.state.rollouts.get(`default/web@${to}`)

t.test(
  'the whole new set first, then the switch in one go, then the old set for a while',
  async (t) => {
    const scene = running(3, 3, blueGreen)
    scene.apply({ name: 'web', image })
    t.same(
      brief(scene.state, scene.settle()).map((step) => step.slice(0, 8)),
      ['create 0', 'create 1', 'create 2'],
    )
    t.equal(rollout(scene)?.reason, 'the new set: 0 of 3 instances available')
    const [, one, two] = scene.live().filter(({ revision }) => revision === 2)
    for (const each of [one, two]) scene.healthy(each?.id ?? '')
    scene.wait(10_000)
    scene.settle()
    t.same(scene.weights(), { 1: [100, 100, 100], 2: [0, 0] }, 'not as long as one is missing')
    scene.agents()
    scene.wait(5000)
    scene.settle()
    t.same(scene.weights(), { 1: [0, 0, 0], 2: [100, 100, 100] })
    t.match(rollout(scene)?.reason, /^100 % of new traffic; the old set is kept until /)
    run(scene, 280_000)
    t.same(counts(scene), { 1: 3, 2: 3 })
    scene.wait((rollout(scene)?.shift?.dueAtMs ?? 0) - scene.state.nowMs)
    scene.round()
    t.match(rollout(scene)?.shift, { done: true })
    t.type(rollout(scene)?.dueAtMs, 'number', 'the rest of the way has a deadline again')
    run(scene, 30_000)
    t.same(counts(scene), { 2: 3 })
    t.match(rollout(scene), { phase: 'completed', reason: '3 of 3 updated' })
    t.same(
      rollout(scene)
        ?.history.map(({ text }) => text)
        .slice(1, 4),
      [
        'the new set is ready beside the old one',
        'switched: revision 2 gets all new traffic, the old set is kept',
        'the old set is no longer kept: its time is over; only 0 of 50 requests were seen, so that errors were not judged',
      ],
    )
  },
)

t.test('with promote: manual it waits, and twice', async (t) => {
  const scene = running(2, 3, manual)
  scene.apply({ name: 'web', image })
  run(scene, 3_600_000)
  t.same(scene.weights(), { 1: [100, 100], 2: [0, 0] })
  t.match(rollout(scene), { dueAtMs: null, reason: 'the new set is ready; waits for promote' })
  t.equal(scene.service().status, 'progressing')
  promoteRollout(scene.state, scene.service(), false)
  scene.settle()
  t.same(scene.weights(), { 1: [0, 0], 2: [100, 100] })
  promoteRollout(scene.state, scene.service(), false)
  scene.rest()
  t.equal(rollout(scene)?.phase, 'completed', 'the old set need not be kept')
})

t.test('unhealthy or with errors while the old set is kept: switched back at once', async (t) => {
  for (const how of ['unhealthy', 'errors'] as const) {
    const scene = running(2, 3, blueGreen)
    scene.apply({ name: 'web', image })
    run(scene, 20_000)
    t.same(scene.weights(), { 1: [0, 0], 2: [100, 100] })
    const [one] = scene.live().filter(({ revision }) => revision === 2)
    if (how === 'errors') scene.traffic.set(one?.id ?? '', { requests: 60, errors: 30 })
    else scene.observe(one?.id ?? '', { health: 'unhealthy', healthySinceMs: null })
    scene.settle()
    scene.wait(10_000)
    scene.settle()
    t.equal(rollout(scene)?.phase, 'rolled-back', how)
    t.same(scene.weights()[1], [100, 100], how)
    t.ok(
      (scene.weights()[2] ?? []).every((weight) => weight === 0),
      how,
    )
    scene.rest()
    t.same(counts(scene), { 1: 2 })
  }
})

t.test('undo and pause on either side of the switch', async (t) => {
  const before = running(2, 3, manual)
  before.apply({ name: 'web', image })
  run(before, 20_000)
  undoTo(before.state, before.service(), null)
  before.rest()
  t.same(counts(before), { 1: 2 })
  t.equal(rollout(before, 3)?.phase, 'completed')
  const after = running(2, 3, blueGreen)
  after.apply({ name: 'web', image })
  run(after, 20_000)
  pauseRollout(after.state, after.service())
  run(after, 3_600_000)
  t.same(counts(after), { 1: 2, 2: 2 }, 'a paused one keeps the old set')
  resumeRollout(after.state, after.service())
  run(after, 200_000)
  t.same(counts(after), { 1: 2, 2: 2 }, 'its time begins anew')
  undoTo(after.state, after.service(), null)
  after.settle()
  t.same(after.weights(), { 1: [100, 100] }, 'back in one go')
  after.rest()
  t.same(counts(after), { 1: 2 })
})

t.test('a newer revision before the switch, and after it', async (t) => {
  const before = running(2, 6, manual)
  before.apply({ name: 'web', image })
  run(before, 20_000)
  before.apply({ name: 'web', image: 'registry.test/app:3' })
  run(before, 60_000)
  t.same(counts(before), { 1: 2, 3: 2 })
  t.same(before.weights(), { 1: [100, 100], 3: [0, 0] })
  const after = running(2, 6, { ...blueGreen, keepOld: '1h' })
  after.apply({ name: 'web', image })
  run(after, 20_000)
  after.apply({ name: 'web', image: 'registry.test/app:3', update: manual })
  after.settle()
  t.same(after.weights()[2], [100, 100], 'what has been switched to goes on serving')
  run(after, 60_000)
  t.same(counts(after), { 2: 2, 3: 2 })
  t.same(after.weights(), { 2: [100, 100], 3: [0, 0] })
})

t.test('the floor is kept by the set that has the traffic', async (t) => {
  const scene = running(2, 2, { ...manual, maxSurge: 0, maxUnavailable: 1 })
  scene.apply({ name: 'web', image })
  run(scene, 20_000)
  t.same(counts(scene), { 1: 2, 2: 2 })
  const [one] = scene.live().filter(({ revision }) => revision === 1)
  scene.observe(one?.id ?? '', { health: 'unhealthy', healthySinceMs: null })
  const [other] = scene.live().filter(({ revision, id }) => revision === 1 && id !== one?.id)
  scene.node(other?.node ?? '', { admittance: 'draining' })
  const stops = scene.settle().flatMap((step) => (step.kind === 'stop' ? [step.id] : []))
  t.notOk(
    stops.includes(other?.id ?? ''),
    'the last one that serves stays, however many new ones wait',
  )
})

t.test('a second set that finds no room is said so, and given up in time', async (t) => {
  const scene = new Scene('n1', 'n2')
  const placement = { separate: [{ from: 'self', by: 'node' }] }
  scene.apply({ name: 'web', replicas: 2, ports: { http: 80 }, update: blueGreen, placement })
  scene.rest()
  scene.apply({ name: 'web', image })
  t.same(brief(scene.state, scene.settle()), [], 'nothing is stopped for it')
  t.equal(scene.service().status, 'blocked')
  t.match(
    scene.service().reason,
    /revision 2 cannot be started beside web-\d-\w+: no node fits: 2 of 2 already run/,
  )
  run(scene, 130_000)
  t.match(rollout(scene), { phase: 'rolled-back', reason: /^no progress within 2m/ })
  scene.rest()
  t.same(counts(scene), { 1: 2 })
})

t.test('a set whose kept predecessor is still there is replaced all the same', async (t) => {
  const scene = running(3, 4, { ...blueGreen, maxSurge: 1, maxUnavailable: 0 })
  scene.apply({ name: 'web', image })
  run(scene, 20_000)
  scene.apply({ name: 'web', image: 'registry.test/app:3' })
  run(scene, 20_000)
  t.same(counts(scene), { 2: 3, 3: 3 }, 'switched twice, the set before is kept')
  scene.apply({ name: 'web', image: 'registry.test/app:4', update: { strategy: 'rolling' } })
  scene.settle()
  t.same(counts(scene)[3], 3, 'nothing of what serves makes room for what does not')
  scene.rest()
  t.same(counts(scene), { 4: 3 })
  t.match(rollout(scene, 4), { phase: 'completed' })
})

t.test('a way back that rests keeps what serves, not what the rollout has left', async (t) => {
  const scene = running(3, 4, { ...manual, maxUnavailable: 1 })
  scene.apply({ name: 'web', image })
  run(scene, 20_000)
  t.same(counts(scene), { 1: 3, 2: 3 })
  undoTo(scene.state, scene.service(), null)
  pauseRollout(scene.state, scene.service())
  scene.rest()
  t.same(counts(scene), { 1: 3 })
})
