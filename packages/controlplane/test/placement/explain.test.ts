import t from 'tap'

import { explainNodes } from '../../src/placement/core/explain.ts'
import { portRange } from '../support/records.ts'
import { aNode } from '../support/records.ts'
import { Scene } from '../support/scene.ts'

t.test('every node gets a verdict with its reasons', async (t) => {
  const full = { facts: { capacity: { cpuMillis: 100, memoryBytes: 1 } } }
  const scene = new Scene('n1', 'n2', aNode('n3', { liveness: 'lost' }), aNode('n4', full))
  scene.apply({ name: 'web', placement: { separate: [{ from: 'self', by: 'node' }] } })
  scene.rest()
  const [instance] = scene.live()
  t.ok(instance)
  const verdicts = explainNodes(scene.state, 'default/web', instance ?? null, portRange)
  t.same(
    verdicts.map(({ node, verdict, score }) => [node, verdict, score]),
    [
      ['n1', 'chosen', 1],
      ['n2', 'fits', 0],
      ['n3', 'refused', null],
      ['n4', 'refused', null],
    ],
    'the instance is not in its own way',
  )
  t.same(verdicts[2]?.reasons, ['is lost'])
  t.same(verdicts[3]?.reasons, ['has 100m of 250m cpu and 1 of 128Mi memory free'])
  t.match(verdicts[1]?.reasons, ['0 instances of the service on it', '6 % reserved with one more'])
  const more = explainNodes(scene.state, 'default/web', null, portRange)
  t.same(more.map(({ node, verdict }) => [node, verdict]).slice(0, 2), [
    ['n2', 'fits'],
    ['n1', 'refused'],
  ])
  t.same(explainNodes(scene.state, 'default/none', null, portRange), [])
})
