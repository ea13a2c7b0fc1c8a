import { pointerTo } from '../pointer.ts'
import { parseCpuMillis, parseDurationMs, parseMemoryBytes } from '../quantity.ts'
import type { ServiceSource } from '../source.ts'
import type { Problem } from './problem.ts'

type Duration = string | 0 | undefined

const maxDurationMs = 365 * 86_400_000
/** What the kernel can hold a container to. */
const minCpuMillis = 10
const maxCpuMillis = 1_024_000
const minMemoryBytes = 6 * 1024 ** 2
const maxMemoryBytes = 64 * 1024 ** 4

interface Limit {
  readonly path: string
  readonly value: Duration
  readonly minMs: number
  readonly minText: string
}

const limit = (path: string, value: Duration, minMs = 0, minText = '0s'): Limit => ({
  path,
  value,
  minMs,
  minText,
})

function* durationsOf(source: ServiceSource): Iterable<Limit> {
  const { health = {}, restart, update, stop } = source
  for (const [name, probe] of Object.entries(health)) {
    yield limit(pointerTo('health', name, 'interval'), probe.interval, 100, '100ms')
    yield limit(pointerTo('health', name, 'timeout'), probe.timeout, 10, '10ms')
  }
  yield limit('/restart/delay', restart?.delay, 100, '100ms')
  yield limit('/restart/maxDelay', restart?.maxDelay, 100, '100ms')
  yield limit('/restart/resetAfter', restart?.resetAfter)
  yield limit('/update/minHealthyTime', update?.minHealthyTime)
  yield limit('/update/progressDeadline', update?.progressDeadline, 1000, '1s')
  yield limit('/update/keepOld', update?.keepOld)
  for (const [index, { pause }] of (update?.steps ?? []).entries()) {
    if (pause !== 'manual') yield limit(pointerTo('update', 'steps', index, 'pause'), pause)
  }
  yield limit('/stop/drain', stop?.drain)
  yield limit('/stop/grace', stop?.grace)
}

/** Null: not written, or not readable. */
const readable = (value: Duration): number | null =>
  value === undefined ? null : parseDurationMs(value)

/** A problem at `path` when both are written and the first is longer than the second. */
function* order(
  path: string,
  [lessName, less]: readonly [string, Duration],
  [moreName, more]: readonly [string, Duration],
): Iterable<Problem> {
  const lessMs = readable(less)
  const moreMs = readable(more)
  if (lessMs === null || moreMs === null || lessMs <= moreMs) return
  yield { path, message: `${lessName} ${less} is longer than ${moreName} ${more}` }
}

/** Durations within their limits and in an order that makes sense. */
export function* durationProblems(source: ServiceSource): Iterable<Problem> {
  for (const { path, value, minMs, minText } of durationsOf(source)) {
    if (value === undefined) continue
    const durationMs = readable(value)
    const name = path.slice(path.lastIndexOf('/') + 1)
    if (durationMs === null || durationMs > maxDurationMs) {
      yield { path, message: `${name} must be at most 365d` }
    } else if (durationMs < minMs) {
      yield { path, message: `${name} must be at least ${minText}` }
    }
  }
  const { delay, maxDelay } = source.restart ?? {}
  yield* order('/restart/delay', ['delay', delay], ['maxDelay', maxDelay])
  const { minHealthyTime, progressDeadline } = source.update ?? {}
  yield* order(
    '/update/minHealthyTime',
    ['minHealthyTime', minHealthyTime],
    ['progressDeadline', progressDeadline],
  )
  for (const [name, { timeout, interval }] of Object.entries(source.health ?? {})) {
    const byDefault = name === 'startup' ? '1s' : '5s'
    const path = pointerTo('health', name, 'timeout')
    yield* order(path, ['timeout', timeout], ['the interval,', interval ?? byDefault])
  }
}

/** CPU and memory that an engine can enforce. */
export function* resourceProblems({ resources }: ServiceSource): Iterable<Problem> {
  if (resources?.cpu !== undefined) {
    const cpuMillis = parseCpuMillis(resources.cpu)
    const fits = cpuMillis !== null && cpuMillis >= minCpuMillis && cpuMillis <= maxCpuMillis
    if (!fits) yield { path: '/resources/cpu', message: 'cpu must be from 10m to 1024' }
  }
  if (resources?.memory !== undefined) {
    const bytes = parseMemoryBytes(resources.memory)
    const fits = bytes !== null && bytes >= minMemoryBytes && bytes <= maxMemoryBytes
    if (!fits) yield { path: '/resources/memory', message: 'memory must be from 6Mi to 64Ti' }
  }
}
