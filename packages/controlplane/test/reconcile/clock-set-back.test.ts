import t from 'tap'

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
