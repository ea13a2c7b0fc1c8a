import fc from 'fast-check'
import t from 'tap'

import {
  formatBytes,
  exactMemory,
  formatCpu,
  formatDuration,
  parseCpuMillis,
  parseDurationMs,
  parseMemoryBytes,
} from '../../src/index.ts'

t.test('durations', async (t) => {
  const cases: readonly (readonly [string | 0, number | null])[] = [
    [0, 0],
    ['0', 0],
    ['500ms', 500],
    ['5s', 5000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0.1s', 100],
    ['5', null],
    ['', null],
    ['-5s', null],
    ['5 s', null],
    ['5S', null],
    ['1m30s', null],
    ['1e3s', null],
    ['.5s', null],
    [`${'9'.repeat(400)}s`, null],
    ['999999999999d', null],
  ]
  for (const [text, expected] of cases) t.equal(parseDurationMs(text), expected, String(text))
  t.equal(formatDuration(90_000), '90s')
  t.equal(formatDuration(5_400_000), '90m')
  t.equal(formatDuration(4211), '4.211s')
  t.equal(formatDuration(0), '0s')
})

t.test('what is formatted parses back to the same duration', async () => {
  fc.assert(
    fc.property(
      fc.nat(365 * 86_400_000),
      (durationMs) => parseDurationMs(formatDuration(durationMs)) === durationMs,
    ),
  )
})

t.test('cpu', async (t) => {
  const cases: readonly (readonly [string | number, number | null])[] = [
    [0.5, 500],
    [2, 2000],
    ['250m', 250],
    ['0.5', 500],
    ['2', 2000],
    ['1.5m', null],
    ['m', null],
    ['1e3', null],
    [-1, null],
    [Number.NaN, null],
    [Number.POSITIVE_INFINITY, null],
    [`${'9'.repeat(400)}m`, null],
  ]
  for (const [value, expected] of cases) t.equal(parseCpuMillis(value), expected, String(value))
  fc.assert(fc.property(fc.nat(1_024_000), (cpu) => parseCpuMillis(formatCpu(cpu)) === cpu))
  t.same([0, 1000, 1024, 1536 * 1024 ** 2, 2 * 1024 ** 4].map(exactMemory), [
    '0',
    '1000',
    '1Ki',
    '1536Mi',
    '2Ti',
  ])
  fc.assert(fc.property(fc.maxSafeNat(), (bytes) => parseMemoryBytes(exactMemory(bytes)) === bytes))
})

t.test('memory', async (t) => {
  const cases: readonly (readonly [string | number, number | null])[] = [
    [1024, 1024],
    ['1024', 1024],
    ['256Mi', 268_435_456],
    ['1.5Gi', 1_610_612_736],
    ['1k', 1000],
    ['1M', 1_000_000],
    ['2T', 2e12],
    ['1mb', null],
    ['1K', null],
    ['Mi', null],
    [1.5, null],
    [-1, null],
    ['9999999999Ti', null],
  ]
  for (const [value, expected] of cases) t.equal(parseMemoryBytes(value), expected, String(value))
  t.equal(formatBytes(268_435_456), '256Mi')
  t.equal(formatBytes(1_610_612_736), '1.5Gi')
  t.equal(formatBytes(1023), '1023')
  t.equal(formatBytes(1024 * 1024 - 1), '1Mi', 'rounding up reaches the next unit')
})

t.test('formatted memory is within a twentieth, and formatting is stable', async (t) => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 2 ** 50 }), (bytes) => {
      const text = formatBytes(bytes)
      const parsed = parseMemoryBytes(text) ?? Number.NaN
      return Math.abs(parsed - bytes) <= bytes / 20 && formatBytes(parsed) === text
    }),
  )
  for (const unit of ['Ki', 'Mi', 'Gi']) {
    t.equal(formatBytes(parseMemoryBytes(`37${unit}`) ?? 0), `37${unit}`)
  }
})
