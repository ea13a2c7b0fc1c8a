import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'

import { readContext } from '../../src/api/context.ts'

const good: readonly (readonly [string, object])[] = [
  [
    'server: http://h:7070\ntoken: bh-admin-x-y_z\n',
    { server: 'http://h:7070', token: 'bh-admin-x-y_z', environment: null },
  ],
  [
    '# admin\nserver: "http://h:7070"\ntoken: \'a b\'\nenvironment: prod\n',
    { server: 'http://h:7070', token: 'a b', environment: 'prod' },
  ],
  ['{server: http://h, token: x}', { server: 'http://h', token: 'x' }],
  ['server: https://h # here\n', { server: 'https://h', token: '' }],
  ['server: http://h\ntoken: >-\n  folded\n', { token: 'folded' }],
]

const bad: readonly (readonly [string, RegExp])[] = [
  ['', /the key server is missing/],
  ['just text', /it must have the keys server and token/],
  ['token: x', /the key server is missing/],
  ['server: h:7070', /server h:7070 is no URL/],
  ['server: http://h/path', /is no URL/],
  ['server: http://h\nsevrer: x', /unknown key sevrer/],
  ['server: http://h\ntoken: [1]', /token must be text/],
  ['server: [', /^context .*: /],
  ['? { a: 1 }\n: x', /keys must be strings/],
]

t.test('what a context file holds', async (t) => {
  const file = join(t.testdir(), 'context.yaml')
  for (const [text, expected] of good) {
    writeFileSync(file, text)
    t.match(await readContext(file, {}), expected, text)
  }
  for (const [text, message] of bad) {
    writeFileSync(file, text)
    await t.rejects(readContext(file, {}), { code: 'bad-usage', message }, text)
  }
})

t.test('only its error is told of a file', async (t) => {
  const file = join(t.testdir(), 'context.yaml')
  const warnings = t.capture(process, 'emitWarning', () => {})
  for (const text of ['server: !!js/function x', '%NOPE 1\n---\nserver: x', '? { a: 1 }\n: x']) {
    writeFileSync(file, text)
    await t.rejects(readContext(file, {}), { code: 'bad-usage' }, text)
  }
  t.same(warnings(), [])
})

t.test('which file it is', async (t) => {
  const directory = t.testdir()
  const write = (path: string, server: string): string => {
    const file = join(directory, path)
    mkdirSync(join(file, '..'), { recursive: true })
    writeFileSync(file, `server: http://${server}\n`)
    return file
  }
  const flag = write('flag.yaml', 'flag')
  const named = write('env.yaml', 'env')
  write('.config/bulkhead/context.yaml', 'home')
  write('xdg/bulkhead/context.yaml', 'xdg')
  const env = { HOME: directory }
  const serverOf = async (...given: Parameters<typeof readContext>): Promise<string> =>
    (await readContext(...given)).server
  t.equal(await serverOf(flag, { ...env, BULKHEAD_CONTEXT: named }), 'http://flag')
  t.equal(await serverOf(undefined, { ...env, BULKHEAD_CONTEXT: named }), 'http://env')
  t.equal(
    await serverOf(undefined, { ...env, XDG_CONFIG_HOME: join(directory, 'xdg') }),
    'http://xdg',
  )
  t.equal(await serverOf(undefined, env), 'http://home')
})
