import t from 'tap'

import { Askers } from '../src/askers.ts'
import { type ContainerInfo, newContainer } from '../src/core/container.ts'
import { ownership } from '../src/core/ownership.ts'
import type { EngineWatch } from '../src/engine/engine-watch.ts'
import { FakeClock } from './support/fake-clock.ts'

function world() {
  const clock = new FakeClock()
  const onEngine: ContainerInfo[] = []
  let known: readonly ContainerInfo[] = []
  let looks = 0
  const watch = {
    containers: { all: () => known },
    refresh: async () => {
      looks += 1
      await clock.pass(0)
      known = [...onEngine]
    },
  } as unknown as EngineWatch
  const begin = (address: string): void => {
    const labels = { [ownership.environment]: 'prod', [ownership.zone]: 'data' }
    onEngine.push({ ...newContainer({ id: address, name: '', labels }), state: 'running', address })
  }
  return { clock, begin, askers: new Askers({ clock, watch }), looks: () => looks }
}

const found = { environment: 'prod', zone: 'data' }

t.test('whoever asks while a container is looked for waits for the same look', async (t) => {
  const { begin, askers, looks } = world()
  begin('172.20.0.2')
  const both = await Promise.all(
    ['172.20.0.2', '::ffff:172.20.0.2'].map((from) => askers.find(from)),
  )
  t.same(both, [found, found])
  t.equal(looks(), 1)
})

t.test('one that has begun since the last look is found with the next', async (t) => {
  const { clock, begin, askers, looks } = world()
  t.equal(await askers.find('172.20.0.9'), null)
  begin('172.20.0.2')
  const asking = Promise.all(
    ['172.20.0.2', '172.20.0.9', '172.20.0.2'].map((from) => askers.find(from)),
  )
  await clock.pass(499)
  t.equal(looks(), 1, 'the engine is asked twice a second at most')
  await clock.pass(1)
  t.same(await asking, [found, null, found])
  t.equal(looks(), 2)
})
