import t from 'tap'

import manifest from '../../package.json' with { type: 'json' }
import { nearest } from '../../src/errors/nearest.ts'
import {
  formatBytes,
  formatCpu,
  formatDuration,
  formatElapsed,
  formatLimit,
  parseDuration,
} from '../../src/output/quantity.ts'
import { speaksUnicode, styleFor } from '../../src/output/style.ts'
import { type Head, makeTable } from '../../src/output/table.ts'
import { cleanText, truncate, wrap } from '../../src/output/text.ts'
import { LinePrefixer } from '../../src/streams/line-prefixer.ts'
import { version } from '../../src/version.ts'

t.equal(version, manifest.version, 'the version is that of the package')

t.test('durations', async (t) => {
  const minute = 60_000
  const hour = 60 * minute
  const day = 24 * hour
  const cases: readonly (readonly [number, string])[] = [
    [-5, '0s'],
    [999, '0s'],
    [12_999, '12s'],
    [minute, '1m'],
    [3 * minute + 12_000, '3m12s'],
    [5 * hour + 7 * minute, '5h7m'],
    [2 * hour + 1000, '2h'],
    [3 * day + 4 * hour, '3d4h'],
    [45 * day + hour, '45d'],
  ]
  for (const [ms, expected] of cases) t.equal(formatDuration(ms), expected)
  t.equal(formatElapsed(12_340), '12.3s')
  t.equal(formatElapsed(75_000), '1m15s')
  t.equal(formatLimit(500), '500ms')
  t.equal(formatLimit(90_000), '1m30s')
})

t.test('durations are read', async (t) => {
  const cases: readonly (readonly [string, number | null])[] = [
    ['500ms', 500],
    ['90s', 90_000],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
    ['2d', 172_800_000],
    ['0', 0],
    ['', null],
    ['5', null],
    ['5 s', null],
    ['s', null],
    ['-5s', null],
    ['1y', null],
  ]
  for (const [text, ms] of cases) t.equal(parseDuration(text), ms, text)
})

t.test('quantities', async (t) => {
  t.equal(formatBytes(0), '0')
  t.equal(formatBytes(1023), '1023')
  t.equal(formatBytes(1536 * 1024), '1.5Mi')
  t.equal(formatBytes(64 * 1024 ** 3), '64Gi')
  t.equal(formatCpu(250), '0.25')
  t.equal(formatCpu(2000), '2')
})

t.test('texts', async (t) => {
  t.equal(truncate('abcdef', 4), 'abc…')
  t.equal(truncate('abc', 3), 'abc')
  t.equal(truncate('ab cd', 4), 'ab…')
  t.equal(cleanText('a\u001b[31mb\nc\u009bd'), 'a [31mb c d')
  t.strictSame(wrap('one two three', 7), ['one two', 'three'])
  t.strictSame(wrap('incomprehensible word', 5), ['incomprehensible', 'word'])
})

t.test('nearest names', async (t) => {
  const names = ['get', 'restart', 'restore', 'rollout', 'resolve', 'scale']
  const cases: readonly (readonly [string, string | null])[] = [
    ['gte', 'get'],
    ['rolout', 'rollout'],
    ['sclae', 'scale'],
    ['roll', 'rollout'],
    ['resatrt', 'restart'],
    ['banana', null],
    ['x', null],
  ]
  for (const [word, expected] of cases) t.equal(nearest(word, names), expected, word)
})

t.test('tables', async (t) => {
  const heads = [
    { title: 'A' },
    { title: 'NUMBER', align: 'right' },
    { title: 'NONE', optional: true },
    { title: 'REST', overflow: 'cut' },
  ] as const
  const paintTitle = (text: string): string => text.toLowerCase()
  const rows = [
    [{ text: 'long name' }, { text: '1' }, { text: '' }, { text: 'a text that is rather long' }],
    [
      { text: '' },
      { text: '100' },
      { text: '' },
      { text: '', paint: (text: string) => `<${text}>` },
    ],
  ]
  const wraps = [...heads.slice(0, 3), { title: 'REST', overflow: 'wrap' }] as const
  const tableOf = async (given: readonly Head[], columns: number | null): Promise<string[]> => {
    const { title, lines } = await makeTable(given, rows, { columns, paintTitle })
    return [title, ...lines]
  }
  t.strictSame(await tableOf(heads, null), [
    'a          number  rest',
    'long name       1  a text that is rather long',
    '-             100  <>',
  ])
  t.strictSame(await tableOf(heads, 44), [
    'a          number  rest',
    'long name       1  a text that is rather lo…',
    '-             100  <>',
  ])
  t.strictSame(await tableOf(wraps, 44), [
    'a          number  rest',
    'long name       1  a text that is rather',
    '                   long',
    '-             100  <>',
  ])
  t.strictSame(await tableOf(heads, 26), [
    'a          number',
    'long name       1',
    '    a text that is rather…',
    '-             100',
  ])
  t.strictSame(await tableOf(wraps, 26), [
    'a          number',
    'long name       1',
    '    a text that is rather',
    '    long',
    '-             100',
  ])
})

t.test(
  'where a table is too wide for the terminal some columns are cut, down to their titles',
  async (t) => {
    const tableOf = async (rest: Head, columns: number | null): Promise<string[]> => {
      const heads = [{ title: 'A' }, { title: 'LIST', shrinks: true }, rest]
      const rows = [[{ text: 'name' }, { text: 'one,two,three' }, { text: '12' }]]
      const options = { columns, paintTitle: (text: string) => text }
      const { title, lines } = await makeTable(heads, rows, options)
      return [title, ...lines]
    }
    const number: Head = { title: 'N', align: 'right' }
    const whole = ['A     LIST            N', 'name  one,two,three  12']
    t.strictSame(await tableOf(number, null), whole)
    t.strictSame(await tableOf(number, 23), whole)
    t.strictSame(await tableOf(number, 20), ['A     LIST         N', 'name  one,two,t…  12'])
    t.strictSame(await tableOf(number, 10), ['A     LIST   N', 'name  one…  12'])
    t.strictSame(await tableOf({ title: 'WHY', overflow: 'wrap' }, 14), [
      'A     LIST',
      'name  one,two…',
      '    12',
    ])
  },
)

t.test('colours', async (t) => {
  const terminal = { write() {}, isTTY: true, columns: 80, rows: 24 }
  const pipe = { ...terminal, isTTY: false }
  const cases: readonly (readonly [boolean, Record<string, string>, boolean])[] = [
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [false, { FORCE_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
  ]
  for (const [isTTY, env, expected] of cases) {
    const painted = styleFor(isTTY ? terminal : pipe, env).red('x')
    t.equal(painted !== 'x', expected, JSON.stringify({ isTTY, ...env }))
  }
  t.ok(speaksUnicode({ LANG: 'de_DE.UTF-8' }))
  t.notOk(speaksUnicode({ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }))
  t.notOk(speaksUnicode({}))
})

t.test('lines with a prefix', async (t) => {
  const prefixer = new LinePrefixer('p ')
  const euro = Buffer.from('€')
  t.equal(prefixer.push(Buffer.from('a\nb')), 'p a\n')
  t.equal(prefixer.push(euro.subarray(0, 1)), '')
  t.equal(prefixer.push(Buffer.concat([euro.subarray(1), Buffer.from('\n\n')])), 'p b€\np \n')
  t.equal(prefixer.flush(), '')
  prefixer.push(Buffer.from('end'))
  t.equal(prefixer.flush(), 'p end\n')
})
