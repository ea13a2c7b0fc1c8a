import { parseImageReference } from '../image-reference.ts'
import { pointerTo } from '../pointer.ts'
import { parseSelector } from '../selector.ts'
import type { ServiceSource } from '../source.ts'
import { cronProblem } from './cron.ts'
import { exposeProblems, offerProblems, healthProblems, portProblems } from './network.ts'
import { pathProblems } from './paths.ts'
import type { Problem } from './problem.ts'
import { durationProblems, resourceProblems } from './quantities.ts'
import { shownText, subjectOf } from './shown.ts'
import { updateProblems } from './update.ts'

const name = '[a-z](?:[a-z0-9-]{0,48}[a-z0-9])?'
const referencePattern = new RegExp(`^${name}(?:\\.${name})?$`)

function* imageProblems({ image }: ServiceSource): Iterable<Problem> {
  if (parseImageReference(image)) return
  const example = 'registry.internal:5000/shop/web:1.4.2'
  yield {
    path: '/image',
    message: `${shownText(image)} is not an image reference, such as ${example}`,
  }
}

function* envProblems({ env = {} }: ServiceSource): Iterable<Problem> {
  for (const [variable, value] of Object.entries(env)) {
    const path = pointerTo('env', variable)
    if (variable.startsWith('BULKHEAD_') || variable === '__proto__') {
      yield { path, message: `${variable} is reserved; choose another name`, on: 'key' }
    }
    if (typeof value === 'number' && !Number.isSafeInteger(value) && Math.abs(value) >= 2 ** 53) {
      yield { path, message: `${variable} is a number too large to be kept exactly; quote it` }
    }
  }
}

function* selectorProblems(path: string, text: string): Iterable<Problem> {
  const result = parseSelector(text)
  if (!result.ok) {
    const where = `${result.message} at column ${result.column} of ${shownText(text)}`
    yield { path, message: `${subjectOf(path)} is not a label selector: ${where}` }
  } else if (result.selector.length === 0) {
    yield { path, message: `${subjectOf(path)} is empty and would match every node` }
  }
}

/** A service is not to be named by itself: `own` says what to do then. */
function* referenceProblems(
  path: string,
  reference: string,
  source: ServiceSource,
  own: string,
): Iterable<Problem> {
  if (!referencePattern.test(reference)) {
    yield { path, message: `${shownText(reference)} is not a service: NAME or NAME.ENVIRONMENT` }
    return
  }
  const full = `${source.name}.${source.environment ?? 'default'}`
  if (reference === source.name || reference === full) yield { path, message: own }
}

function* placementProblems(source: ServiceSource): Iterable<Problem> {
  const { require = [], prefer = [], separate = [], spread = [] } = source.placement ?? {}
  for (const [index, text] of require.entries()) {
    yield* selectorProblems(pointerTo('placement', 'require', index), text)
  }
  for (const [index, { match }] of prefer.entries()) {
    yield* selectorProblems(pointerTo('placement', 'prefer', index, 'match'), match)
  }
  for (const [index, { from }] of separate.entries()) {
    if (from === 'self') continue
    const path = pointerTo('placement', 'separate', index, 'from')
    yield* referenceProblems(path, from, source, 'write "self" for the service itself')
  }
  for (const [index, level] of spread.entries()) {
    if (spread.indexOf(level) === index) continue
    const path = pointerTo('placement', 'spread', index)
    yield { path, message: `${shownText(level)} is in spread more than once` }
  }
}

function* dependencyProblems(source: ServiceSource): Iterable<Problem> {
  for (const [index, reference] of (source.dependsOn ?? []).entries()) {
    const path = pointerTo('dependsOn', index)
    yield* referenceProblems(path, reference, source, 'a service cannot depend on itself')
  }
}

function* scaleProblems({ scale }: ServiceSource): Iterable<Problem> {
  if (!scale) return
  const { min = 0, max = Number.POSITIVE_INFINITY, cpu, schedule = [] } = scale
  if (min > max) yield { path: '/scale/min', message: `min ${min} is more than max ${max}` }
  if (cpu !== undefined && Number.parseInt(cpu, 10) === 0) {
    yield { path: '/scale/cpu', message: 'cpu must be at least 1%' }
  }
  for (const [index, { cron, replicas }] of schedule.entries()) {
    const path = pointerTo('scale', 'schedule', index)
    const problem = cronProblem(cron)
    if (problem !== null) {
      const message = `${shownText(cron)} is not a cron expression: ${problem}`
      yield { path: `${path}/cron`, message }
    }
    if (replicas < min || replicas > max) {
      const message = `replicas ${replicas} is outside of min and max`
      yield { path: `${path}/replicas`, message }
    }
  }
}

function* nameProblems(source: ServiceSource): Iterable<Problem> {
  if (source.name !== 'self') return
  yield { path: '/name', message: '"self" is reserved: it means the service itself in separate' }
}

const checks: readonly ((source: ServiceSource) => Iterable<Problem>)[] = [
  nameProblems,
  imageProblems,
  envProblems,
  portProblems,
  resourceProblems,
  placementProblems,
  healthProblems,
  durationProblems,
  updateProblems,
  dependencyProblems,
  offerProblems,
  exposeProblems,
  pathProblems,
  scaleProblems,
]

/** What a service that its schema accepts still has wrong, as far as the document alone can tell. */
export const serviceProblems = (source: ServiceSource): Problem[] =>
  checks.flatMap((check) => [...check(source)])
