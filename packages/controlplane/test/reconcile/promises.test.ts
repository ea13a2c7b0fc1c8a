import fc from 'fast-check'
import t from 'tap'

import { Chaos } from '../support/chaos.ts'

const numRuns = Number(process.env['RUNS'] ?? 30)
const seed = process.env['SEED'] === undefined ? {} : { seed: Number(process.env['SEED']) }

function told<T>(chaos: Chaos, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof Error) error.message += `\n${chaos.log.slice(-12).join('\n')}`
    throw error
  }
}

t.test('whatever happens, no promise is broken', async () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 120 }), (from, length) => {
      const chaos = new Chaos(from)
      told(chaos, () => {
        for (let index = 0; index < length; index++) chaos.step()
      })
    }),
    { numRuns, ...seed },
  )
})

t.test('with room enough, everything comes to what is wanted', async () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), (from, length) => {
      const chaos = new Chaos(from)
      told(chaos, () => {
        for (let index = 0; index < length; index++) chaos.step()
        chaos.makeRoom()
        chaos.heal()
        for (const { key, status, reason } of chaos.world.state.services.values()) {
          const excused = reason.includes('waits for api')
          if (status !== 'converged' && !excused) throw new Error(`${key} is ${status}: ${reason}`)
        }
      })
    }),
    { numRuns, ...seed },
  )
})

t.test('when the trouble is over, everything comes to rest', async (t) => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 60 }), (from, length) => {
      const chaos = new Chaos(from)
      told(chaos, () => {
        for (let index = 0; index < length; index++) chaos.step()
        chaos.heal()
        const { state } = chaos.world
        for (const service of state.services.values()) {
          // A failed rollout rests too, and so does what waits for something that rests.
          const rests = /rollout to revision \d+ failed|waits for/.test(service.reason)
          const settled = service.status === 'converged' || service.status === 'blocked'
          if (!settled && !rests)
            throw new Error(`${service.key} is ${service.status}: ${service.reason}`)
        }
        if (chaos.world.settle() > 0) throw new Error('still moving')
      })
    }),
    { numRuns, ...seed },
  )
  t.pass('came to rest')
})
