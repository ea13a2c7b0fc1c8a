import { pointerTo } from '../pointer.ts'
import type { ServiceSource } from '../source.ts'
import type { Problem } from './problem.ts'
import { alternatives } from './shown.ts'

type Update = NonNullable<ServiceSource['update']>

/** Keys that mean something for some strategies only. */
const owners: Readonly<Partial<Record<keyof Update, readonly string[]>>> = {
  steps: ['canary'],
  analysis: ['canary', 'blue-green'],
  keepOld: ['blue-green'],
  promote: ['blue-green'],
}

function* ownerProblems(update: Update): Iterable<Problem> {
  const { strategy = 'rolling' } = update
  for (const [key, owned] of Object.entries(owners)) {
    if (update[key as keyof Update] === undefined || owned.includes(strategy)) continue
    const message = `${key} has no meaning for strategy ${strategy}; it belongs to strategy ${alternatives(owned)}`
    yield { path: pointerTo('update', key), message, on: 'key' }
  }
}

function* stepProblems({ steps = [] }: Update): Iterable<Problem> {
  for (const [index, { weight }] of steps.entries()) {
    const before = steps[index - 1]?.weight ?? 0
    if (weight > before) continue
    const path = pointerTo('update', 'steps', index, 'weight')
    yield { path, message: `weight ${weight} must be more than that of the step before, ${before}` }
  }
}

/** Two instances of a slot at a time are what canary and blue-green live on. */
function* besideProblems({ update, exclusive, replicas = 1 }: ServiceSource): Iterable<Problem> {
  const { strategy = 'rolling', maxSurge = 1 } = update ?? {}
  if (strategy === 'rolling') return
  if (exclusive === true) {
    const message = `strategy ${strategy} needs old and new instances side by side, which exclusive forbids: use rolling`
    yield { path: '/update/strategy', message }
  } else if (strategy === 'canary' && maxSurge === 0 && replicas === 1) {
    const message =
      'a canary of one replica needs the new instance beside the old one: let maxSurge be at least 1'
    yield { path: '/update/maxSurge', message }
  }
}

function* rateProblems({ analysis }: Update): Iterable<Problem> {
  const rate = analysis?.maxErrorRate
  if (rate === undefined || Number.parseFloat(rate) <= 100) return
  yield { path: '/update/analysis/maxErrorRate', message: 'maxErrorRate must be at most 100%' }
}

/** An update that could be carried out, and no key without a meaning. */
export function* updateProblems(source: ServiceSource): Iterable<Problem> {
  const { update } = source
  if (update === undefined) return
  if (update.maxSurge === 0 && update.maxUnavailable === 0) {
    const message = 'maxSurge and maxUnavailable are both 0: no instance could ever be replaced'
    yield { path: '/update', message }
  }
  yield* ownerProblems(update)
  yield* stepProblems(update)
  yield* rateProblems(update)
  yield* besideProblems(source)
}
