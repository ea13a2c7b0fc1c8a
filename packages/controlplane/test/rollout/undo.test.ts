import t from 'tap'

import { undoTo } from '../../src/rollout/core/undo.ts'
import { Scene } from '../support/scene.ts'

const image = (version: number): string => `registry.test/app:${version}`

/** Rolls out an image whose containers end three times in a row. */
function rollOutBadly(scene: Scene, version: number): void {
  scene.apply({ name: 'web', image: image(version) })
  for (let failures = 0; failures < 40; failures++) {
    scene.settle()
    if (scene.state.openRolloutOf('default/web')?.phase !== 'progressing') return
    const [newest] = scene.live().filter(({ revision }) => revision === scene.service().revision)
    if (newest) scene.failed(newest.id, { neverStarted: true })
    else {
      scene.agents()
      scene.wait(60_000)
    }
    if (scene.service().reason.includes('rolled back')) return
    const open = scene.state.openRolloutOf('default/web')
    if (open && scene.state.revisionOf('default/web', open.to)?.spec.image !== image(version))
      return
  }
  throw new Error('it did not fail')
}

const undo = (scene: Scene): string | undefined => {
  undoTo(scene.state, scene.service(), null)
  return scene.state.revisionOf('default/web', scene.service().revision)?.spec.image
}

t.test('undo after an automatic rollback skips what failed', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web' })
  scene.rest()
  scene.apply({ name: 'web', image: image(2) })
  scene.rest()
  rollOutBadly(scene, 3)
  scene.rest()
  t.equal(scene.state.rollouts.get('default/web@3')?.phase, 'rolled-back')
  t.equal(undo(scene), image(1), 'revision 3 failed, revision 4 is revision 2 again')
  scene.rest()
  t.equal(undo(scene), image(2), 'and back again')
})

t.test('undo says so when everything else failed', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web' })
  scene.rest()
  rollOutBadly(scene, 2)
  scene.rest()
  t.throws(() => undo(scene), {
    code: 'conflict',
    message: /service default\/web has nothing to go back to: the rollout of revision 2 failed/,
    advice: /--to.*1, 2, 3/,
  })
  undoTo(scene.state, scene.service(), 2)
  t.equal(scene.state.openRolloutOf('default/web')?.to, 4, 'who insists may')
})

t.test('undo rather goes to what was rolled out than to what was superseded on the way', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web' })
  scene.rest()
  scene.apply({ name: 'web', image: image(2) })
  scene.settle()
  scene.apply({ name: 'web', image: image(3) })
  scene.settle()
  t.equal(scene.state.rollouts.get('default/web@2')?.phase, 'superseded')
  t.equal(undo(scene), image(1))
})

t.test('what failed once and was rolled out in full later is good', async (t) => {
  const scene = new Scene('n1', 'n2')
  scene.apply({ name: 'web' })
  scene.rest()
  rollOutBadly(scene, 2)
  scene.rest()
  scene.apply({ name: 'web', image: image(2) })
  scene.rest()
  scene.apply({ name: 'web', image: image(3) })
  scene.rest()
  t.equal(undo(scene), image(2))
})

t.test('undo without an earlier revision', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.rest()
  t.throws(() => undo(scene), { code: 'not-found', message: /no earlier revision/ })
})
