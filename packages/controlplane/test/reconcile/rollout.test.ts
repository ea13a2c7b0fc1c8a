import { isHealthy, isLive, type ServiceSource } from '@bulkhead/shared'
import t from 'tap'

import { aNode } from '../support/records.ts'
import { brief, reasons, Scene } from '../support/scene.ts'

const image = 'registry.test/app:2'
const separate = [{ from: 'self', by: 'node' }]
const rollout = (scene: Scene, to: number) => scene.state.rollouts.get(`default/web@${to}`)

function running(
  replicas: number,
  nodes: readonly string[],
  change: Partial<ServiceSource> = {},
): Scene {
  const scene = new Scene(...nodes)
  scene.apply({ name: 'web', replicas, ...change })
  scene.rest()
  return scene
}

t.test(
  'with surge, a new instance comes first and the old one goes when it is available',
  async (t) => {
    const scene = running(2, ['n1', 'n2', 'n3'])
    scene.apply({ name: 'web', image })
    t.same(brief(scene.state, scene.settle()), ['create 0 n3'])
    t.equal(scene.service().status, 'progressing')
    scene.agents()
    t.same(brief(scene.state, scene.settle()), [], 'not before minHealthyTime')
    t.equal(scene.dueAtMs, scene.state.nowMs + 5000)
    scene.wait(5000)
    t.same(brief(scene.state, scene.settle()), ['stop 0'])
    t.equal(rollout(scene, 2)?.reason, '1 of 2 updated')
    t.equal(rollout(scene, 2)?.progressAtMs, scene.state.nowMs)
    t.same(brief(scene.state, scene.settle()), [], 'what stops counts against the ceiling')
    scene.agents()
    t.match(brief(scene.state, scene.settle()), ['create 1'])
    scene.rest()
    t.match(rollout(scene, 2), { phase: 'completed', reason: '2 of 2 updated', dueAtMs: null })
    t.equal(scene.service().status, 'converged')
    t.ok(scene.live().every(({ revision }) => revision === 2))
  },
)

t.test('several at once, as the policy allows', async (t) => {
  const surging = running(4, ['n1', 'n2'], { update: { maxSurge: 2 } })
  surging.apply({ name: 'web', image })
  t.same(
    brief(surging.state, surging.settle()).map((step) => step.slice(0, 8)),
    ['create 0', 'create 1'],
  )
  const stopping = running(4, ['n1', 'n2'], { update: { maxSurge: 0, maxUnavailable: 2 } })
  stopping.apply({ name: 'web', image })
  t.same(brief(stopping.state, stopping.settle()), ['stop 0', 'stop 1'])
  const both = running(4, ['n1', 'n2'], { update: { maxSurge: 1, maxUnavailable: 1 } })
  both.apply({ name: 'web', image })
  t.same(
    brief(both.state, both.settle()).map((step) => step.slice(0, 8)),
    ['create 0', 'stop 1'],
  )
})

t.test(
  'where no new instance fits beside the old one, it goes stop-first and says so',
  async (t) => {
    const scene = running(2, ['n1', 'n2'], { placement: { separate } })
    scene.apply({ name: 'web', image })
    const steps = scene.settle()
    t.same(brief(scene.state, steps), ['stop 0'])
    t.match(
      reasons(steps)[0],
      /^revision 2 \(applied\); stopped first because no node fits: 2 of 2 already run/,
    )
    t.match(rollout(scene, 2)?.history.at(-1)?.text, /^goes stop-first: no node fits/)
    t.same(brief(scene.state, scene.settle()), [], 'one at a time')
    scene.agents()
    t.same(brief(scene.state, scene.settle()), ['create 0 n1'])
    scene.agents()
    t.same(brief(scene.state, scene.settle()), [])
    scene.wait(5000)
    t.same(brief(scene.state, scene.settle()), ['stop 1'])
    scene.rest()
    t.equal(rollout(scene, 2)?.phase, 'completed')
    const told = rollout(scene, 2)?.history.filter(({ text }) => text.includes('stop-first')) ?? []
    t.equal(told.length, 1, 'once')
  },
)

t.test('nothing is stopped first for what could not be placed then either', async (t) => {
  const scene = running(1, ['n1'])
  scene.apply({ name: 'web', image, resources: { cpu: 64 } })
  t.same(brief(scene.state, scene.settle()), [])
  t.equal(scene.service().status, 'blocked')
  t.match(scene.service().reason, /web-0-\w+ cannot be updated: no node fits: 1 of 1 lacks 64 cpu/)
  const exclusive = running(1, ['n1'], { exclusive: true })
  exclusive.apply({ name: 'web', image, resources: { cpu: 64 } })
  t.same(brief(exclusive.state, exclusive.settle()), [])
  t.match(exclusive.service().reason, /cannot be updated: no node fits: 1 of 1 lacks 64 cpu/)
})

t.test('an exclusive service never has two in a slot', async (t) => {
  const scene = running(2, ['n1', 'n2', 'n3'], { exclusive: true, update: { maxSurge: 1 } })
  scene.apply({ name: 'web', image })
  t.same(brief(scene.state, scene.settle()), ['stop 0'])
  t.same(brief(scene.state, scene.settle()), [], 'it waits until the old one is gone')
  scene.agents()
  t.same(
    brief(scene.state, scene.settle()).map((step) => step.slice(0, 8)),
    ['create 0'],
  )
})

t.test('what does not serve is replaced first, whatever the floor', async (t) => {
  const scene = running(3, ['n1', 'n2', 'n3'], { update: { maxSurge: 0, maxUnavailable: 1 } })
  scene.observe(scene.in(2).id, { health: 'unhealthy', healthySinceMs: null })
  scene.apply({ name: 'web', image })
  t.same(brief(scene.state, scene.settle()), ['stop 2'])
})

t.test('a change that makes no other container replaces nothing', async (t) => {
  const scene = running(2, ['n1', 'n2'])
  scene.apply({ name: 'web', update: { maxSurge: 2 }, placement: { spread: ['rack'] } })
  t.same(scene.settle(), [])
  t.equal(rollout(scene, 2), undefined)
  scene.apply({ name: 'web', replicas: 3 })
  t.match(brief(scene.state, scene.settle()), ['create 2 n1'])
  t.ok(
    scene.live().every(({ revision }) => revision === (scene.in(2).revision === revision ? 3 : 1)),
  )
})

t.test('undo in the middle keeps what is still there and stops what is new', async (t) => {
  const scene = running(2, ['n1', 'n2', 'n3'])
  const first = scene.in(0).id
  scene.apply({ name: 'web', image })
  scene.settle()
  scene.agents()
  scene.apply({ name: 'web', image: 'registry.test/app:3' })
  t.equal(rollout(scene, 2)?.phase, 'superseded')
  t.same(
    brief(scene.state, scene.settle()),
    ['stop 0'],
    'of two outdated ones the better one stays',
  )
  t.equal(scene.in(0).id, first)
  scene.apply({ name: 'web', image: 'registry.test/app:1' })
  scene.agents()
  t.same(brief(scene.state, scene.settle()), [])
  scene.rest()
  t.equal(rollout(scene, 4)?.phase, 'completed')
  t.equal(scene.in(0).id, first)
})

t.test(
  'a paused rollout rests, but failures are still answered, each with its own content',
  async (t) => {
    const scene = running(2, ['n1', 'n2', 'n3'])
    scene.apply({ name: 'web', image })
    scene.settle()
    scene.agents()
    scene.wait(5000)
    scene.settle()
    scene.agents()
    const open = rollout(scene, 2)
    if (!open) throw new Error('no rollout')
    scene.state.putRollout({ ...open, phase: 'paused', reason: 'paused by admin', dueAtMs: null })
    t.same(brief(scene.state, scene.settle()), [])
    t.equal(scene.service().status, 'blocked')
    t.match(scene.service().reason, /the rollout to revision 2 is paused: paused by admin/)
    t.equal(scene.in(1).revision, 1)

    scene.failed(scene.in(1).id, { neverStarted: true })
    scene.settle()
    t.equal(scene.in(1).revision, 1, 'the old content in an old slot')
    scene.failed(scene.in(0).id, { neverStarted: true })
    scene.settle()
    t.equal(scene.in(0).revision, 2)

    const { nowMs } = scene.state
    scene.agents()
    scene.wait(5000)
    scene.state.putRollout({ ...open, phase: 'progressing', dueAtMs: null })
    t.match(brief(scene.state, scene.settle()), ['create 1'])
    t.equal(rollout(scene, 2)?.progressAtMs, nowMs + 5000, 'its time begins anew')
    scene.rest()
    t.equal(rollout(scene, 2)?.phase, 'completed')
  },
)

t.test('outdated instances on a lost node come back as new ones', async (t) => {
  const scene = running(2, ['n1', 'n2', 'n3'])
  scene.apply({ name: 'web', image })
  scene.settle()
  scene.node('n2', { liveness: 'lost' })
  const steps = scene.settle()
  t.same(
    brief(scene.state, steps).map((step) => step.slice(0, 9)),
    ['give-up 1', 'create 1 '],
  )
  t.equal(scene.in(1).revision, 2)
})

t.test('services roll out independently of each other', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'api', replicas: 2 })
  scene.apply({ name: 'web', replicas: 2 })
  scene.rest('api', 'web')
  scene.apply({ name: 'api', image })
  scene.apply({ name: 'web', image })
  t.match(brief(scene.state, scene.settle('api')), ['create 0'])
  t.match(brief(scene.state, scene.settle('web')), ['create 0'])
})

t.test('healthy ones never fall below the floor, nor do all exceed the ceiling', async (t) => {
  const policies = [
    { maxSurge: 1, maxUnavailable: 0 },
    { maxSurge: 0, maxUnavailable: 1 },
    { maxSurge: 2, maxUnavailable: 1 },
    { maxSurge: 3, maxUnavailable: 3 },
  ]
  for (const update of policies) {
    const scene = running(4, ['n1', 'n2', 'n3'], { update })
    scene.apply({ name: 'web', image })
    for (let turn = 0; turn < 40; turn++) {
      scene.settle()
      const all = scene.state
        .instancesOf('default/web')
        .filter((one) => one.observed.state !== 'stopped')
      const healthy = all.filter((one) => isHealthy(one) && isLive(one)).length
      t.ok(healthy >= 4 - update.maxUnavailable, `floor ${JSON.stringify(update)}`)
      t.ok(all.length <= 4 + update.maxSurge, `ceiling ${JSON.stringify(update)}`)
      scene.agents()
      scene.wait(2500)
    }
    t.equal(rollout(scene, 2)?.phase, 'completed')
  }
})

t.test('labels of nodes that do not change keep a rollout on the same spread', async (t) => {
  const scene = new Scene(aNode('n1'), aNode('n2'))
  scene.apply({ name: 'web', replicas: 2 })
  scene.rest()
  scene.apply({ name: 'web', image })
  scene.rest()
  t.same(
    scene
      .live()
      .map(({ node }) => node)
      .toSorted(),
    ['n1', 'n2'],
    'old ones are not counted',
  )
})
