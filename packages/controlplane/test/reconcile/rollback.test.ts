import { successorInstanceId, type ServiceSource } from '@bulkhead/shared'
import t from 'tap'

import { brief, Scene } from '../support/scene.ts'

const broken = 'registry.test/app:broken'
const rollout = (scene: Scene, to: number) => scene.state.rollouts.get(`default/web@${to}`)

function running(change: Partial<ServiceSource> = {}): Scene {
  const scene = new Scene('n1', 'n2', 'n3')
  scene.apply({ name: 'web', replicas: 2, ...change })
  scene.rest()
  return scene
}

/** The newest instance of the slot crashes, and its agent goes on. */
function crash(scene: Scene, slot: number): void {
  const last = scene.live().findLast((instance) => instance.slot === slot)
  if (!last) throw new Error('nothing to crash')
  scene.failed(last.id)
  const { attempt, observed } = last
  const created = {
    ...observed,
    state: 'created',
    health: 'unknown',
    healthySinceMs: null,
  } as const
  scene.state.putInstance({
    ...last,
    id: successorInstanceId(last.id),
    predecessor: last.id,
    attempt: attempt + 1,
    createdAtMs: scene.state.nowMs,
    observed: created,
  })
}

t.test('three crashes in a row take the service back at once', async (t) => {
  const scene = running()
  scene.apply({ name: 'web', image: broken })
  scene.settle()
  for (let count = 1; count <= 3; count++) {
    scene.wait(1000)
    crash(scene, 0)
    if (count < 3) t.notMatch(brief(scene.state, scene.settle()), ['roll-back'])
  }
  const steps = scene.settle()
  t.equal(steps[0]?.kind, 'roll-back')
  t.match(rollout(scene, 2), {
    phase: 'rolled-back',
    reason:
      'slot 0 has failed 3 times in a row: exited with code 1; back to the content of revision 1',
  })
  t.equal(scene.service().revision, 3)
  const revision = scene.state.revisionOf('default/web', 3)
  t.equal(revision?.templateHash, scene.state.revisionOf('default/web', 1)?.templateHash)
  t.equal(revision?.cause, 'rolled back to the content of revision 1')
  scene.rest()
  t.equal(rollout(scene, 3)?.phase, 'completed')
  t.ok(
    scene.live().every((instance) => instance.revision === 1),
    'the old ones were never touched',
  )
})

t.test('what cannot even be started takes it back as well', async (t) => {
  const scene = running()
  scene.apply({ name: 'web', image: broken })
  for (let count = 0; count < 3; count++) {
    scene.settle()
    const last = scene.live().findLast(({ slot, revision }) => slot === 0 && revision === 2)
    t.ok(last)
    scene.failed(last?.id ?? '', { neverStarted: true, reason: 'image not found' })
  }
  scene.settle()
  t.match(rollout(scene, 2)?.reason, /failed 3 times in a row: image not found/)
})

t.test('no progress within the deadline takes it back', async (t) => {
  const scene = running({ update: { progressDeadline: '60s' } })
  scene.apply({ name: 'web', image: broken })
  scene.settle()
  t.equal(scene.dueAtMs, scene.state.nowMs + 60_000)
  scene.wait(59_999)
  t.same(brief(scene.state, scene.settle()), [])
  scene.wait(1)
  t.same(brief(scene.state, scene.settle())[0], 'roll-back')
  t.match(rollout(scene, 2)?.reason, /^no progress within 1m: 0 of 2 updated; back to/)
})

t.test('progress puts the deadline off', async (t) => {
  const scene = running({ update: { progressDeadline: '60s' } })
  scene.apply({ name: 'web', image: broken })
  scene.settle()
  scene.wait(50_000)
  scene.agents()
  scene.wait(5000)
  scene.settle()
  t.equal(rollout(scene, 2)?.dueAtMs, scene.state.nowMs + 60_000)
})

t.test('replicas stay as they are, the rest of the content goes back', async (t) => {
  const scene = running({ update: { progressDeadline: '60s' } })
  scene.apply({ name: 'web', placement: { spread: ['rack'] } })
  scene.settle()
  scene.apply({ name: 'web', image: broken, placement: {} })
  scene.settle()
  scene.apply({ name: 'web', replicas: 3 })
  scene.wait(60_000)
  scene.settle()
  const { spec, source } = scene.state.revisionOf('default/web', 5) ?? {}
  t.equal(spec?.replicas, 3)
  t.equal(source?.['replicas'], 3)
  t.same(spec?.placement.spread, ['rack'], 'to the newest revision of the good template')
})

t.test('onFailure: pause stops where it is', async (t) => {
  const scene = running({ update: { onFailure: 'pause', progressDeadline: '60s' } })
  scene.apply({ name: 'web', image: broken })
  scene.settle()
  scene.wait(60_000)
  scene.settle()
  t.match(rollout(scene, 2), { phase: 'paused', dueAtMs: null, endedAtMs: null })
  t.match(scene.service().reason, /the rollout to revision 2 is paused: no progress within 1m/)
  t.equal(scene.dueAtMs, null)
  t.equal(scene.live().length, 3)
  scene.agents()
  scene.wait(5000)
  t.same(brief(scene.state, scene.settle()), ['stop 0'], 'a replacement that came true is kept')
})

t.test(
  'a first rollout has nothing to go back to: it fails, and may still come true',
  async (t) => {
    const scene = new Scene('n1')
    scene.apply({ name: 'web', update: { progressDeadline: '60s' } })
    scene.settle()
    scene.wait(60_000)
    scene.settle()
    t.match(rollout(scene, 1), { phase: 'failed', reason: 'no progress within 1m: 0 of 1 updated' })
    t.equal(scene.service().status, 'degraded')
    t.match(scene.service().reason, /the rollout to revision 1 failed: no progress/)
    t.same(scene.settle(), [])
    scene.agents()
    scene.wait(5000)
    scene.settle()
    t.equal(rollout(scene, 1)?.phase, 'completed')
    t.equal(scene.service().status, 'converged')
  },
)

t.test('the way back does not turn around again', async (t) => {
  const scene = running({ update: { progressDeadline: '60s' } })
  scene.apply({ name: 'web', image: broken })
  scene.settle()
  scene.agents()
  scene.wait(5000)
  scene.settle()
  scene.agents()
  scene.settle()
  scene.wait(60_000)
  scene.settle()
  t.equal(rollout(scene, 2)?.phase, 'rolled-back')
  scene.wait(60_000)
  scene.settle()
  t.equal(rollout(scene, 3)?.phase, 'failed')
  t.equal(scene.service().revision, 3)
  scene.wait(600_000)
  t.same(brief(scene.state, scene.settle()), [])
})

t.test('what was never rolled out in full is not gone back to', async (t) => {
  const scene = running({ update: { progressDeadline: '60s' } })
  scene.apply({ name: 'web', image: 'registry.test/app:half' })
  scene.settle()
  scene.apply({ name: 'web', image: broken })
  scene.settle()
  scene.wait(60_000)
  scene.settle()
  t.match(rollout(scene, 3)?.reason, /back to the content of revision 1$/)
})

t.test('a rollout of no replicas proves nothing', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 0, update: { progressDeadline: '60s' } })
  scene.settle()
  t.equal(rollout(scene, 1)?.phase, 'completed')
  scene.apply({ name: 'web', replicas: 1, image: broken })
  scene.settle()
  scene.wait(60_000)
  scene.settle()
  t.equal(rollout(scene, 2)?.phase, 'failed')
})

t.test('a rollout that was scaled to no replicas on its way proves nothing either', async (t) => {
  const update = { progressDeadline: '30s' }
  const scene = running({ update })
  scene.apply({ name: 'web', image: broken, update })
  scene.settle()
  scene.apply({ name: 'web', image: broken, replicas: 0, update })
  scene.rest()
  t.equal(rollout(scene, 2)?.phase, 'superseded')
  scene.apply({ name: 'web', image: 'registry.test/app:never', replicas: 2, update })
  scene.settle()
  scene.wait(30_000)
  scene.settle()
  t.match(rollout(scene, 4)?.reason, /back to the content of revision 1$/)
})

t.test('nor does one that had failed before', async (t) => {
  const update = { progressDeadline: '30s' }
  const scene = new Scene('n1')
  scene.apply({ name: 'web', image: broken, update })
  scene.settle()
  scene.wait(30_000)
  scene.settle()
  scene.apply({ name: 'web', image: broken, replicas: 0, update })
  scene.rest()
  t.equal(rollout(scene, 1)?.phase, 'failed')
  scene.apply({ name: 'web', image: 'registry.test/app:never', replicas: 1, update })
  scene.settle()
  scene.wait(30_000)
  scene.settle()
  t.equal(rollout(scene, 3)?.phase, 'failed', 'there is nothing to go back to')
})

t.test('failures from before a resume do not count again', async (t) => {
  const scene = running({ update: { onFailure: 'pause' } })
  scene.apply({ name: 'web', image: broken })
  scene.settle()
  for (let count = 0; count < 3; count++) {
    scene.wait(1000)
    crash(scene, 0)
  }
  scene.settle()
  const paused = rollout(scene, 2)
  if (!paused) throw new Error('no rollout')
  t.equal(paused.phase, 'paused')
  scene.wait(1000)
  const { nowMs } = scene.state
  scene.state.putRollout({
    ...paused,
    phase: 'progressing',
    progressAtMs: nowMs,
    dueAtMs: nowMs + 1,
  })
  scene.settle()
  t.equal(rollout(scene, 2)?.phase, 'progressing')
  scene.wait(1000)
  crash(scene, 0)
  scene.settle()
  t.equal(rollout(scene, 2)?.phase, 'paused')
})

t.test('content that failed and is applied again is given its chances anew', async (t) => {
  const scene = running({ replicas: 1 })
  const refuse = (revision: number): void => {
    const instance = scene.live().find((one) => one.revision === revision)
    if (instance) scene.failed(instance.id, { neverStarted: true })
  }
  scene.apply({ name: 'web', image: broken })
  for (let count = 0; count < 3; count++) {
    scene.settle()
    refuse(2)
    scene.wait(60_000)
  }
  scene.rest()
  t.equal(rollout(scene, 2)?.phase, 'rolled-back')
  scene.apply({ name: 'web', image: broken })
  scene.settle()
  t.match(
    scene.live().find(({ revision }) => revision === 4),
    { attempt: 0, startAtMs: scene.state.nowMs },
  )
  scene.rest()
  t.equal(rollout(scene, 4)?.phase, 'completed', 'what stood in the way has been mended')
})
