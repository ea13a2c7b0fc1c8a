import t from 'tap'

import * as make from '../support/fixtures.ts'
import { runCli } from '../support/run-cli.ts'

type Given = Parameters<typeof make.instance>[0]

const at = (minute: number): string => `2026-03-01T11:${String(minute).padStart(2, '0')}:00.000Z`

const asked = async (line: readonly string[], ...instances: readonly Given[]) =>
  runCli(line, {
    answers: { 'GET /v1/instances': make.list(...instances.map((one) => make.instance(one))) },
  })

const old = { id: 'web-0-aaaaaaaa', createdAt: at(1) } as const
const next = { id: 'web-0-bbbbbbbb', createdAt: at(2) } as const

const cases: readonly (readonly [name: string, a: Given, b: Given, chosen: string])[] = [
  ['the one that serves', old, { ...next, state: 'starting', health: 'starting' }, old.id],
  ['not the one that goes', { ...old, state: 'stopping' }, next, next.id],
  ['the newest that serves', old, next, next.id],
  [
    'the newest that starts',
    { ...old, health: 'unhealthy' },
    { ...next, state: 'starting' },
    next.id,
  ],
  ['a live one', { ...old, state: 'failed' }, { ...next, state: 'pulling' }, next.id],
  ['the newest that is gone', { ...old, state: 'stopped' }, { ...next, state: 'failed' }, next.id],
]

for (const [name, a, b, chosen] of cases) {
  t.test(`of two instances in a slot: ${name}`, async (t) => {
    for (const both of [
      [a, b],
      [b, a],
    ]) {
      const { urls } = await asked(['exec', 'web-0', '--', 'true'], ...both)
      t.equal(urls.at(-1), `POST /v1/instances/${chosen}/exec`)
    }
  })
}

t.test('instances in several places are not guessed at', async (t) => {
  const line = ['exec', 'web', '--', 'true']
  const two = await asked(line, old, { ...next, slot: 1 })
  t.equal(
    two.stderr,
    'error: instance web: it can be web-0-aaaaaaaa (prod), web-0-bbbbbbbb (prod); ' +
      'write one of these\n',
  )
  const places = Array.from({ length: 9 }, (_, slot) => ({ id: `web-${slot}-aaaaaaaa`, slot }))
  const many = await asked(line, ...places)
  t.match(many.stderr, /web-4-aaaaaaaa \(prod\) and 4 more; write one of these\n$/)
})

t.test('describe names the other one', async (t) => {
  const { stdout } = await asked(['describe', 'instance', 'web-0'], old, {
    ...next,
    state: 'starting',
    health: 'starting',
  })
  t.match(stdout, /^Instance +web-0-aaaaaaaa$/m)
  t.match(stdout, /^Same slot +web-0-bbbbbbbb \(starting\)$/m)
})
