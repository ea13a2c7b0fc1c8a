import t from 'tap'

import { createdAtMs } from '../../src/reconcile/core/new-instance.ts'
import { anInstance } from '../support/records.ts'
import { brief, Scene } from '../support/scene.ts'

t.test('a rollout goes on after our own clock was set back', async (t) => {
  for (const byMs of [40_000, 300_000]) {
    const scene = new Scene('n1', 'n2')
    const web = { name: 'web', replicas: 2, update: { maxSurge: 0, maxUnavailable: 1 } }
    scene.apply(web)
    scene.rest()
    scene.state.nowMs -= byMs
    scene.apply({ ...web, image: 'registry.test/app:2' })
    const done = brief(scene.state, scene.settle())
    t.match(done, ['stop 0'], 'what served before serves now, whatever time its records show')
  }
})

t.test('what cannot be started is tried with a back-off after our own clock was set back', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  scene.settle()
  scene.state.nowMs -= 300_000
  const waits = Array.from({ length: 4 }, () => {
    const { id, startAtMs } = scene.in(0)
    scene.failed(id, { neverStarted: true })
    scene.settle()
    return Math.max(startAtMs - scene.state.nowMs, 0)
  })
  t.ok((waits.at(-1) ?? 0) > 0, String(waits))
  t.equal(scene.in(0).attempt, 4)
})

t.test('what comes into a slot comes after all that is there, though our own clock was set back', async (t) => {
  const scene = new Scene('n1')
  scene.apply({ name: 'web' })
  const { nowMs } = scene.state
  for (const [index, id] of ['web-0-a', 'web-0-b'].entries()) {
    scene.state.putInstance(anInstance({ id, service: 'default/web', createdAtMs: nowMs + index }))
  }
  scene.state.nowMs -= 300_000
  t.equal(createdAtMs(scene.state, 'default/web', 0), nowMs + 2)
  t.equal(createdAtMs(scene.state, 'default/web', 1), nowMs - 300_000)
})
