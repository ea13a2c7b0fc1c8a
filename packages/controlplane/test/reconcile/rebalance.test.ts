import t from 'tap'

import { isMoveForBalance } from '../../src/reconcile/core/rebalance.ts'
import { aNode, anInstance, gib, observing } from '../support/records.ts'
import { brief, reasons, Scene } from '../support/scene.ts'

const nodesOf = (scene: Scene): readonly (string | null)[] => scene.live().map(({ node }) => node)

t.test('a node that joins takes over, one instance at a time, start before stop', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 4 })
  scene.rest()
  scene.state.putNode(aNode('n2'))
  t.same(scene.settle(), [], 'not unless moves are allowed')
  scene.movesLeft = 1
  const steps = scene.settle()
  t.same(brief(scene.state, steps), ['create 0 n2'])
  t.equal(isMoveForBalance(reasons(steps)[0] ?? ''), true)
  t.equal(scene.service().status, 'progressing')
  scene.rest()
  t.same(nodesOf(scene).toSorted(), ['n1', 'n1', 'n2', 'n2'])
  t.equal(scene.service().status, 'converged')
})

t.test('a node that cannot start what is moved to it is left alone for a while', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 4 })
  scene.rest()
  scene.state.putNode(aNode('n2'))
  scene.movesLeft = 1
  t.same(brief(scene.state, scene.settle()), ['create 0 n2'])
  const moved = scene.live().find(({ node }) => node === 'n2')
  scene.failed(moved?.id ?? '', { neverStarted: true, reason: 'the image could not be pulled' })
  t.same(brief(scene.state, scene.settle()).filter((step) => step.startsWith('create')), [])
  t.ok(scene.dueAtMs !== null && scene.dueAtMs <= scene.state.nowMs + 60_000, 'and looked at again')
  scene.wait(60_000)
  t.same(brief(scene.state, scene.settle()), ['create 0 n2'])
})

t.test('… however much has failed in the slot since', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 4 })
  scene.rest()
  scene.state.putNode(aNode('n2'))
  scene.movesLeft = 1
  scene.settle()
  const moved = scene.live().find(({ node }) => node === 'n2')
  scene.failed(moved?.id ?? '', { neverStarted: true })
  scene.settle()
  const failed = observing({ state: 'failed', finishedAtMs: scene.state.nowMs })
  for (let count = 0; count < 5; count++) {
    scene.wait(1000)
    const { nowMs: createdAtMs } = scene.state
    const id = `web-0-crash${count}`
    scene.state.putInstance(anInstance({ id, service: 'default/web', desired: 'stop', createdAtMs, observed: failed }))
  }
  t.same(brief(scene.state, scene.settle()).filter((step) => step.startsWith('create')), [])
  t.ok(scene.state.instances.has(moved?.id ?? ''), 'it is still known')
  scene.wait(60_000)
  t.same(brief(scene.state, scene.settle()), ['create 0 n2', 'forget'])
  t.notOk(scene.state.instances.has(moved?.id ?? ''))
})

t.test('one more here than there is no reason to move', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.rest()
  scene.state.putNode(aNode('n2'))
  scene.movesLeft = 1
  t.same(scene.settle(), [])
})

t.test('preferred nodes and even domains are moved to', async (t) => {
  const scene = new Scene(
    aNode('n1', { domain: { rack: 'r1' } }),
    aNode('n2', { domain: { rack: 'r1' } }),
  )
  scene.apply({ name: 'web', replicas: 2, placement: { spread: ['rack'] } })
  scene.rest()
  scene.state.putNode(aNode('n3', { domain: { rack: 'r2' } }))
  scene.movesLeft = 1
  scene.rest()
  t.same(nodesOf(scene).toSorted(), ['n2', 'n3'])
  scene.apply({
    name: 'web',
    placement: { spread: ['rack'], prefer: [{ match: 'disk=ssd', weight: 1 }] },
  })
  scene.node('n1', { labels: { disk: 'ssd' } })
  scene.rest()
  t.same(nodesOf(scene), ['n1', 'n1'])
})

t.test('load alone moves only when it differs by much', async (t) => {
  const small = { facts: { capacity: { cpuMillis: 1000, memoryBytes: 4 * gib } } }
  const scene = new Scene(aNode('n1', small))
  scene.apply({ name: 'api', resources: { cpu: 0.4 } })
  scene.apply({ name: 'web', resources: { cpu: 0.4 } })
  scene.rest('api', 'web')
  scene.state.putNode(aNode('n2', small))
  scene.movesLeft = 1
  scene.rest('api')
  t.equal(scene.in(0, 'api').node, 'n2')
  scene.rest('api', 'web')
  t.same([scene.in(0, 'api').node, scene.in(0).node], ['n2', 'n1'], 'and comes to an end')
})

t.test('what may not surge is not moved', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', replicas: 3, update: { maxSurge: 0, maxUnavailable: 1 } })
  scene.apply({ name: 'api', replicas: 3, exclusive: true })
  scene.rest('api', 'web')
  scene.state.putNode(aNode('n2'))
  scene.movesLeft = 1
  t.same([...scene.settle('web'), ...scene.settle('api')], [])
})
