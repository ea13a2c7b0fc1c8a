import t from 'tap'

import { nodeView } from '../../src/api/views/node-view.ts'
import { Scene } from '../support/scene.ts'

const separate = [{ from: 'self', by: 'host' }]

const reasonOf = (scene: Scene, name: string): string => {
  const node = scene.state.nodes.get(name)
  return node ? nodeView(scene.state, node, null).reason : ''
}

t.test('a node that is drained says what is left, and what holds it', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web', replicas: 2, placement: { separate } })
  scene.rest()
  t.equal(reasonOf(scene, 'n1'), '')
  scene.node('n1', { admittance: 'draining' })
  scene.settle()
  t.match(
    reasonOf(scene, 'n1'),
    /^drained by an operator; 1 instance left; service default\/web is blocked: .*must move, as node \w+ is drained: no node fits.*--deadline$/,
  )
  scene.node('n1', { drainDueAtMs: scene.state.nowMs + 1000 })
  t.match(
    reasonOf(scene, 'n1'),
    /^drained by an operator, at the latest until 1970-\S+; 1 instance left; service/,
  )
  scene.wait(1000)
  scene.settle()
  scene.agents()
  scene.settle()
  t.match(
    reasonOf(scene, 'n1'),
    /^drained by an operator, at the latest until 1970-\S+; nothing is left on it$/,
  )
})

t.test('what moves away in its turn is only counted', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web' })
  scene.rest()
  const name = scene.in(0).node ?? ''
  scene.node(name, { admittance: 'draining' })
  scene.settle()
  t.equal(reasonOf(scene, name), 'drained by an operator; 1 instance left')
})
