import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import fc from 'fast-check'
import t from 'tap'

import { checkDocuments } from '../../src/documents/check.ts'
import { readDocuments, type ReadDocuments } from '../../src/documents/read.ts'

async function* stream(...chunks: readonly (Uint8Array | string)[]) {
  yield* chunks
}

const readText = (text: Uint8Array | string): Promise<ReadDocuments> =>
  readDocuments(['-'], stream(text))

const linesOf = async (text: Uint8Array | string): Promise<string[]> =>
  checkDocuments(await readText(text))

const service = `apiVersion: bulkhead/v1
kind: Service
name: web
zone: application
image: nginx
`

t.test('YAML becomes plain data', async (t) => {
  const cases: readonly (readonly [string, readonly unknown[]])[] = [
    ['a: 1', [{ a: 1 }]],
    ['a: yes\nb: 0o17\nc: 1_000\nd: 12:30:00', [{ a: 'yes', b: 15, c: '1_000', d: '12:30:00' }]],
    [
      'a: "1"\nb: 2026-01-01\nc: null\nd:\ne: ~',
      [{ a: '1', b: '2026-01-01', c: null, d: null, e: null }],
    ],
    ['1: a\ntrue: b', [{ 1: 'a', true: 'b' }]],
    ['a: 1\n---\n---\n# nothing\n---\nb: 2\n...\n', [{ a: 1 }, { b: 2 }]],
    ['{"a": [1, {"b": "\\u00e9"}],\n\t"c": null}', [{ a: [1, { b: 'é' }], c: null }]],
    ['a: &x { b: 1 }\nc: *x\nd: [*x, *x]', [{ a: { b: 1 }, c: { b: 1 }, d: [{ b: 1 }, { b: 1 }] }]],
    ['- &y [&x 1]\n- &x 2\n- *y\n- *x', [[[1], 2, [1], 2]]],
    ['a: |\n  x\n  y\n', [{ a: 'x\ny\n' }]],
    ['a: 1\r\nb: 2\r\n', [{ a: 1, b: 2 }]],
    ['<<: 1', [{ '<<': 1 }]],
    ['\ufeffa: 1', [{ a: 1 }]],
  ]
  for (const [text, documents] of cases) {
    const read = await readText(text)
    t.same(read.problems, [], text)
    t.same(read.documents, documents, text)
  }
  const { documents } = await readText('__proto__: { polluted: 1 }')
  t.same(Object.keys(documents[0] as object), ['__proto__'])
  t.equal(Object.getPrototypeOf(documents[0]), Object.prototype)
})

t.test('what is wrong with a text is said with its place', async (t) => {
  const cases: readonly (readonly [Uint8Array | string, readonly (string | RegExp)[]])[] = [
    ['', ['-: has no documents in it']],
    ['# only a comment\n---\n', ['-: has no documents in it']],
    ['a: [1\nb: 2', [/^-:2:1: .+/]],
    ['a: 1\nb: 2\na: 3\n', ['-:3:1: key "a" is there more than once']],
    ['x:\n  - {a: 1, "a": 2}', ['-:2:12: key "a" is there more than once']],
    ['1: a\n"1": b', ['-:2:1: key "1" is there more than once']],
    ['a: *b', ['-:1:4: there is no anchor "b" before this']],
    ['a: &x [1, *x]', ['-:1:11: an alias cannot be inside its anchor']],
    ['a: !secret x', ['-:1:4: Unresolved tag: !secret']],
    ['a: !!binary eA==', [/^-:1:4: Unresolved tag/]],
    ['? [a]\n: b', [/^-:1:3: a key must be plain text/]],
    ['%YAML 1.1\n---\na: yes', [/^-:1:1: only YAML 1.2/]],
    ['%foo', [/^-:1:1: Unknown directive/]],
    ['a: 1\nb: \u0007', ['-:2:4: control character 0x07 is not allowed']],
    [new Uint8Array([0x61, 0x3a, 0x20, 0xff]), ['-: is not text in UTF-8']],
    ['a: b: c', [/^-:1:4: Nested mappings/]],
    ['\ta: b', [/^-:1:1: Tabs/]],
  ]
  for (const [text, expected] of cases) {
    const read = await readText(text)
    const lines = checkDocuments(read).filter((line) => !line.includes('missing key'))
    t.match(lines, expected, String(text))
    t.equal(lines.length, expected.length, String(text))
  }
})

t.test('texts made to exhaust are refused in time', async (t) => {
  const names = 'abcdefghij'.split('')
  const levels = names.slice(1).map((name, level) => {
    const inner = Array.from({ length: 9 }, () => `*${names[level] ?? ''}`)
    return `${name}: &${name} [${inner.join(',')}]`
  })
  const mebibyte = 1024 * 1024
  const cases: readonly (readonly [string, string, RegExp])[] = [
    ['aliases', `a: &a [x,x,x,x,x,x,x,x,x]\n${levels.join('\n')}`, /aliases stand for more than/],
    ['aliased text', `a: &a ${'x'.repeat(1000)}\nb: [${'*a,'.repeat(1000)}]`, /aliases stand for/],
    ['flow depth', '['.repeat(20_000), /nested too deeply|tokens/],
    ['depth below the stack', `${'['.repeat(200)}${']'.repeat(200)}`, /nested more than 64 levels/],
    [
      'block depth',
      Array.from({ length: 1500 }, (_, i) => `${' '.repeat(i)}a:`).join('\n'),
      /nested/,
    ],
    ['size', 'x'.repeat(10 * mebibyte + 1), /larger than 10 MiB/],
    ['strays', ']'.repeat(10 * mebibyte), /not YAML/],
    ['directives', '%a\n'.repeat(3 * mebibyte), /not YAML/],
    ['lines', '\n'.repeat(10 * mebibyte), /tokens/],
    ['items', '- a\n'.repeat(2 * mebibyte), /tokens/],
    ['keys', Array.from({ length: 14_000 }, (_, i) => `k${i}: v`).join('\n'), /5000 values/],
    ['empty documents', '---\n'.repeat(2 * mebibyte), /too many empty documents/],
    ['documents', 'a: 1\n---\n'.repeat(6000), /more than 5000 documents/],
    ['errors', '---\na: ,\n'.repeat(mebibyte), /there is more/],
  ]
  for (const [what, text, expected] of cases) {
    const startedAt = performance.now()
    const lines = await linesOf(text)
    t.ok(
      lines.some((line) => expected.test(line)),
      `${what}: ${lines[0] ?? 'nothing'}`,
    )
    t.ok(performance.now() - startedAt < 5000, `${what}: in time`)
  }
})

t.test('problems are located at the key or the value, in order of their place', async (t) => {
  const text = `${service}labels:
  team: [x]
replica: 3
ports: { http: 80, HTTP: 81 }
health:
  liveness:
    tcp: { port: htp }
---
${service}---
${service.replace('web', 'api')}dependsOn:
  - api
`
  t.same(await linesOf(text), [
    '-:7:9: team must be text; found a list',
    '-:8:1: unknown key "replica"; did you mean "replicas"?',
    '-:9:20: "HTTP" cannot be a key of ports: a name is lower-case letters, digits and hyphens, starting with a letter, at most 50',
    '-:26:5: a service cannot depend on itself',
  ])
  t.same(await linesOf(`${service}---\n${service}`), [
    '-:9:7: service default/web is declared more than once; first at -:3:7',
  ])
  t.same(await linesOf(service.replace('zone: application\n', '')), ['-:1:1: missing key "zone"'])
  t.same(await linesOf(`${service}labels:\n`), ['-:6:1: labels must be a mapping; found nothing'])
})

t.test('locate', async (t) => {
  const { locate } = await readText('# top\na:\n  b/c: [1, { d: 2 }]\n  e:\n---\n  f: 1\n')
  const at = (document: number, pointer: string, on?: 'key' | 'value') => {
    const { line, column } = locate(document, pointer, on)
    return `${line}:${column}`
  }
  t.equal(at(0, ''), '2:1')
  t.equal(at(0, '/a'), '3:3')
  t.equal(at(0, '/a', 'key'), '2:1')
  t.equal(at(0, '/a/b~1c'), '3:8')
  t.equal(at(0, '/a/b~1c', 'key'), '3:3')
  t.equal(at(0, '/a/b~1c/1/d'), '3:17')
  t.equal(at(0, '/a/b~1c/1/d', 'key'), '3:14')
  t.equal(at(0, '/a/e'), '4:3', 'no value: the key')
  t.equal(at(0, '/a/missing/deeper'), '3:3', 'not there: what is around it')
  t.equal(at(1, '/f'), '6:6')
  t.equal(at(99, '/f'), '1:1')
})

t.test('files, directories and standard input', async (t) => {
  const directory = t.testdir({
    'b.yaml': service,
    'a.yml': service.replace('web', 'api'),
    'c.json': '{"not": "read"}',
    'empty.yaml': '# nothing\n',
    below: { 'd.yaml': 'not: read' },
  })
  mkdirSync(join(directory, 'folder.yaml'))
  const read = await readDocuments([directory, '-'], stream('apiVer', Buffer.from('sion: v1\n')))
  t.same(
    read.documents.map((document) => (document as { name?: string }).name),
    ['api', 'web', undefined],
  )
  t.equal(read.locate(1, '/name').file, join(directory, 'b.yaml'))
  t.same(checkDocuments(read), [
    '-:1:1: missing key "kind"; write kind: Service, ExternalService or Zones',
    '-:1:13: apiVersion must be bulkhead/v1; found "v1"',
  ])
  symlinkSync('nowhere', join(directory, 'dangling.yaml'))
  writeFileSync(join(directory, 'x\u001b[31m.yaml'), 'a: [')
  const lines = checkDocuments(await readDocuments([directory, join(directory, 'none')]))
  t.match(lines, [
    /dangling\.yaml: cannot be read: there is no such file/,
    /x\\u\{001b\}\[31m\.yaml:1:5: /,
    /none: cannot be read: there is no such file or directory$/,
  ])
  t.equal(checkDocuments(await readDocuments([join(directory, 'below'), '\0', ''])).length, 4)
  t.match(checkDocuments(await readDocuments([t.testdir({ 'a.txt': '' })])), [/has no \*\.yaml/])
  t.match(checkDocuments(await readDocuments(['/dev/zero'])), [/larger than 10 MiB/])
  t.match(checkDocuments(await readDocuments([])), [/has no documents/])
})

t.test('a directory with nothing but directories says where the files are', async (t) => {
  const directory = t.testdir({ docs: {}, shop: { 'shop.yaml': 'a: 1' } })
  const [line = ''] = checkDocuments(await readDocuments([directory]))
  t.match(line, /: has no \*\.yaml or \*\.yml file in it; directories in it are not read; did you mean /)
  t.ok(line.endsWith(`${join(directory, 'shop')}?`))
})

t.test('the limit of a directory is on all of its files', async (t) => {
  const comment = '#'.repeat(6 * 1024 * 1024)
  const directory = t.testdir({ 'a.yaml': comment, 'b.yaml': comment })
  t.match(checkDocuments(await readDocuments([directory])), [/b\.yaml: is larger than 10 MiB/])
})

const marks = fc.constantFrom(
  ...': |- |\n|\n  |---\n|...\n|{|}|[|]|,|"|\'|>-\n|? |#c|\t|\\|~'.split('|'),
)
const words = fc.constantFrom(
  'a',
  'kind: Service',
  '&x ',
  '*x',
  '!t ',
  '|\n',
  '<<: ',
  '%YAML 1.2\n',
)
const piece = fc.oneof(marks, words, fc.constant(service))

t.test('no text whatsoever makes it throw, and every line has a place', async () => {
  const bytes = fc.uint8Array({ maxLength: 200 })
  const text = fc.oneof(
    fc.array(piece, { maxLength: 30 }).map((all) => all.join('')),
    fc.string({ unit: 'binary' }),
  )
  const shape = /^-(:[1-9][0-9]*:[1-9][0-9]*)?: [^\n]+$/
  await fc.assert(
    fc.asyncProperty(fc.oneof(bytes, text), async (input) => {
      const read = await readText(input)
      const lines = checkDocuments(read)
      const inside = String(input).split('\n').length + 1
      return (
        lines.every(
          (line) =>
            (shape.test(line) && Number(line.split(':')[1]) <= inside) || line.startsWith('-: '),
        ) &&
        (lines.length > 0 || read.documents.length > 0)
      )
    }),
    { numRuns: 1000 },
  )
})

t.test('JSON reads as JSON', async () => {
  const key = fc.string().filter((text) => text.length < 100)
  const value = fc.letrec((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.array(tie('tree'), { maxLength: 4 }),
      fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
    ),
  })).tree
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(key, value),
      fc.constantFrom(0, 2, '\t'),
      async (tree, indent) => {
        const { documents, problems } = await readText(JSON.stringify(tree, null, indent))
        return problems.length === 0 && JSON.stringify(documents) === JSON.stringify([tree])
      },
    ),
    { numRuns: 200 },
  )
})
