import t from 'tap'

import type { Answers } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { runCli } from '../support/run-cli.ts'

const inProd = make.service({ name: 'web', environment: 'prod' })
const inTest = make.service({ name: 'web', environment: 'test' })
const only = make.service({ name: 'api', environment: 'test' })
const here = make.service({ name: 'db', environment: 'default' })

const restart = (...names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`POST /v1/services/${name}/restart`, { json: inProd }]))

const answers: Answers = {
  'GET /v1/external-services': make.list(),
  'GET /v1/services': make.list(inProd, inTest, only, here),
  'GET /v1/services/prod/web': { json: inProd },
  'GET /v1/services/test/web': { json: inTest },
  'GET /v1/services/test/api': { json: only },
  'GET /v1/services/default/db': { json: here },
  ...restart('prod/web', 'test/web', 'test/api', 'default/db'),
}

const cases: readonly (readonly [line: string, posted: string | RegExp, context?: string])[] = [
  ['restart web.prod', 'prod/web'],
  ['restart web -e test', 'test/web'],
  ['restart web.test -e test', 'test/web'],
  ['restart web.test -e prod', /web.test: -e prod contradicts it; leave one of the two out/],
  ['restart web', 'prod/web', 'environment: prod'],
  ['restart db', 'default/db'],
  ['restart api', 'test/api'],
  [
    'restart web',
    /service web: it is in several environments: web.prod, web.test; write one of these, or -e ENV/,
  ],
  ['restart wbe', /service wbe: there is none in any environment; did you mean web\?/],
  ['restart api -e prod', /nothing at GET \/v1\/services\/prod\/api/],
]

for (const [line, expected, context] of cases) {
  t.test(line, async (t) => {
    const options = { answers, ...(context === undefined ? {} : { context }) }
    const { urls, stderr, exitCode } = await runCli(line.split(' '), options)
    if (typeof expected === 'string') {
      t.equal(urls.at(-1), `POST /v1/services/${expected}/restart`)
      t.equal(exitCode, 0)
    } else {
      t.match(stderr, expected)
      t.equal(exitCode, 2)
      t.notOk(urls.some((url) => url.startsWith('POST')))
    }
  })
}

const explained: Answers = {
  ...answers,
  'GET /v1/instances': make.list(
    make.instance({ id: 'web-0-abcdefgh' }),
    make.instance({ id: 'web-0-zzzzzzzz', state: 'failed' }),
    make.instance({ id: 'web-1-bcdefghi', slot: 1 }),
    make.instance({ id: 'web-1-cdefghij', slot: 1, environment: 'test' }),
  ),
  'GET /v1/instances/web-0-zzzzzzzz': { json: make.instance({ id: 'web-0-zzzzzzzz' }) },
}

const instances: readonly (readonly [given: string, url: string | RegExp])[] = [
  ['web-0-zzzzzzzz', 'web-0-zzzzzzzz'],
  ['web-0', 'web-0-abcdefgh'],
  ['web-0-abc', 'web-0-abcdefgh'],
  [
    'web-1',
    /instance web-1: it can be web-1-bcdefghi \(prod\), web-1-cdefghij \(test\); write one/,
  ],
  ['web-7', /web-7: there is no such service or instance/],
  ['web-0-aaaaaaaa', /web-0-aaaaaaaa: there is no such service or instance/],
]

for (const [given, expected] of instances) {
  t.test(`explain ${given}`, async (t) => {
    const { urls, stderr } = await runCli(['explain', given], { answers: explained })
    if (typeof expected === 'string') t.equal(urls.at(-1), `GET /v1/explain/instances/${expected}`)
    else t.match(stderr, expected)
  })
}
