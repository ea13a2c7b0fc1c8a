import t from 'tap'

import { Scene } from '../support/scene.ts'

t.test('revisions and rollouts are kept as far as somebody may need them', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web', update: { maxSurge: 3, onFailure: 'pause' } })
  scene.rest()
  for (let count = 2; count <= 30; count++) {
    scene.apply({ name: 'web', image: `registry.test/app:${count}` })
    scene.settle()
  }
  const key = 'default/web'
  t.equal(scene.in(0).revision, 1, 'nothing has become available since')
  const rollouts = scene.state.rolloutsOf(key).map(({ to }) => to)
  t.same(
    rollouts,
    [1, ...Array.from({ length: 20 }, (_, index) => index + 11)],
    'with the last good one',
  )
  const used = new Set(scene.state.instancesOf(key).map(({ revision }) => revision))
  const revisions = scene.state.revisionsOf(key).map(({ revision }) => revision)
  t.same(
    revisions.filter((revision) => !used.has(revision)),
    Array.from({ length: 21 }, (_, index) => index + 10).filter((revision) => !used.has(revision)),
    'where rollouts start and end',
  )
  t.ok(
    [...used].every((revision) => revisions.includes(revision)),
    'and what instances are made of',
  )
  scene.rest()
  for (let count = 0; count < 25; count++) {
    scene.apply({ name: 'web', replicas: (count % 2) + 1 })
    scene.rest()
  }
  t.ok(scene.state.revisionsOf(key).length <= 20 + 22 + 4)
  t.ok(scene.state.revisionOf(key, scene.in(0).revision), 'that of what runs is kept')
})
