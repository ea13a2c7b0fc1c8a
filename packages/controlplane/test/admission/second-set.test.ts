import type { ServiceSource } from '@bulkhead/shared'
import t from 'tap'

import { secondSetNeverFits } from '../../src/admission/core/second-set.ts'
import { aNode, portRange } from '../support/records.ts'
import { Scene } from '../support/scene.ts'

type Update = NonNullable<ServiceSource['update']>

const image = 'registry.test/app:2'
const reasonOf = (scene: Scene): string | null =>
  secondSetNeverFits(scene.state, 'default/web', portRange)

function updating(strategy: NonNullable<Update['strategy']>, nodes: number, change: Partial<ServiceSource>): Scene {
  const capacity = { cpuMillis: 1000, memoryBytes: 2 ** 30 }
  const names = Array.from({ length: nodes }, (_, index) => `n${index + 1}`)
  const scene = new Scene(...names.map((name) => aNode(name, { facts: { capacity } })))
  scene.apply({ name: 'web', replicas: 2, update: { strategy }, ...change })
  scene.rest()
  scene.apply({ name: 'web', image })
  return scene
}

t.test('blue-green needs room for everything twice', async (t) => {
  t.equal(reasonOf(updating('blue-green', 2, { resources: { cpu: 0.5 } })), null)
  t.match(
    reasonOf(updating('blue-green', 1, { resources: { cpu: 0.5 } })),
    /^blue-green starts 2 instances beside the 2 there are: no node fits: 1 of 1 lacks /,
  )
  t.match(
    reasonOf(updating('blue-green', 3, { placement: { separate: [{ from: 'self', by: 'node' }] } })),
    /^blue-green starts 2 instances beside the 2 there are: 2 replicas need 2 different nodes, 1 qualifies: n\d/,
  )
})

t.test('a canary needs a second place only for its only instance', async (t) => {
  const ports = { http: { port: 80, host: 8080 } }
  t.match(
    reasonOf(updating('canary', 1, { replicas: 1, ports })),
    /^canary starts 1 instance beside the 1 there is: no node fits/,
  )
  t.equal(reasonOf(updating('canary', 2, { replicas: 1, ports })), null)
  t.equal(reasonOf(updating('canary', 2, { ports })), null, 'of two one can be stopped first')
})

t.test('a rolling update asks for nothing', async (t) => {
  const scene = updating('rolling', 1, { resources: { cpu: 0.5 } })
  t.equal(reasonOf(scene), null)
})
