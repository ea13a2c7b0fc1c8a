import t from 'tap'

import { eventStream } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { dedent, runCli } from '../support/run-cli.ts'

const changed = make.service({
  status: 'progressing',
  replicas: { desired: 3, running: 3, healthy: 2, updated: 2 },
  reason: 'waiting for web-2 to be healthy',
})

const watch = (revision: number, item: unknown, type = 'put') => ({ revision, type, item })

t.test('a table goes on with what changes', async (t) => {
  const { stdout, stderr, exitCode, urls } = await runCli(['get', 'services', '-w'], {
    answers: {
      'GET /v1/services': make.list(make.service()),
      'GET /v1/services?watch=7': eventStream([
        watch(8, make.service({ labels: { not: 'shown' } })),
        watch(9, changed),
        watch(10, make.service(), 'delete'),
      ]),
    },
    interruptAt: 'deleted',
  })
  t.equal(
    stdout,
    dedent(`
    NAME          ENVIRONMENT  ZONE          HEALTHY  STATUS       AGE     REASON
    web           prod         presentation  3/3      converged    3m12s
    web           prod         presentation  2/3      progressing  3m12s   waiting for web-2 to be healthy
    web           prod         presentation  3/3      converged    3m12s   deleted
    `),
  )
  t.equal(stderr, '')
  t.equal(exitCode, 130)
  t.strictSame(urls, ['GET /v1/services', 'GET /v1/services?watch=7'])
})

t.test('JSON lines', async (t) => {
  const { stdout } = await runCli(['get', 'services', '-w', '-o', 'json'], {
    answers: {
      'GET /v1/services': make.list(make.service()),
      'GET /v1/services?watch=7': eventStream([watch(9, changed)]),
    },
    interruptAt: 'waiting for',
  })
  const lines = stdout.trimEnd().split('\n')
  t.strictSame(
    lines.map((line) => JSON.parse(line) as unknown),
    [watch(7, make.service()), watch(9, changed)],
  )
})

t.test('a revision that is gone is listed anew, and nothing is shown twice', async (t) => {
  const { stdout, urls } = await runCli(['get', 'services', '-w'], {
    answers: {
      'GET /v1/services': [
        make.list(make.service()),
        { json: { revision: 50, items: [make.service(), changed] } },
      ],
      'GET /v1/services?watch=7': { problem: 'revision-gone', detail: 'too old' },
      'GET /v1/services?watch=50': eventStream([watch(51, make.service({ name: 'last' }))]),
    },
    interruptAt: 'last',
  })
  t.equal(stdout.match(/converged/g)?.length, 2)
  t.equal(stdout.match(/progressing/g)?.length, 1)
  t.equal(urls.length, 4)
})

t.test('a broken watch is warned of once, and goes on', async (t) => {
  const { stderr, stdout } = await runCli(['get', 'services', '-w'], {
    answers: {
      'GET /v1/services': make.list(make.service()),
      'GET /v1/services?watch=7': [
        { raw: (request) => request.socket.destroy() },
        eventStream([watch(9, changed)]),
      ],
    },
    interruptAt: 'waiting for',
  })
  t.match(stderr, /^warning: cannot reach http:\S+: the connection was closed; trying again\n$/)
  t.match(stdout, 'progressing')
})

const frames = (stdout: string): string[][] =>
  stdout
    .split('\u001b[0J')
    .slice(1)
    // eslint-disable-next-line no-control-regex
    .map((text) => text.replaceAll(/[\r\n]*\u001b\[[0-9?]*[a-zA-Z]/g, '').split('\n'))

t.test('a terminal has one table, which is drawn again in place', async (t) => {
  const { stdout, exitCode } = await runCli(['get', 'services', '-w', '-e', 'prod'], {
    answers: {
      'GET /v1/services': make.list(make.service({ name: 'api' }), make.service()),
      'GET /v1/services?environment=prod&watch=7': eventStream(
        [watch(8, changed), watch(9, make.service({ name: 'api' }), 'delete')],
        { everyMs: 150 },
      ),
    },
    isTTY: true,
    columns: 80,
    env: { NO_COLOR: '1' },
    interruptAt: 'deleted',
  })
  t.equal(exitCode, 130)
  const drawn = frames(stdout)
  t.strictSame(drawn[0], [
    'NAME  ZONE          HEALTHY  STATUS     AGE    REASON',
    'api   presentation  3/3      converged  3m12s',
    'web   presentation  3/3      converged  3m12s',
  ])
  t.match(drawn[1]?.[2], /^web {3}presentation {2}2\/3 {6}progressing {2}3m12s {2}waiting for/)
  t.equal(drawn[2]?.[1], 'api   presentation  3/3      converged    3m12s  deleted')
  t.ok(drawn.flat().every((line) => line.length <= 80))
  t.match(stdout, '\u001b[3A', 'the cursor goes up by what was drawn')
  t.ok(stdout.endsWith('\u001b[?7h\u001b[?25h'), 'and the terminal is left as it was')
})

t.test('a terminal that is too low says so', async (t) => {
  const many = Array.from({ length: 30 }, (_, index) => make.service({ name: `s${index}` }))
  const { stdout } = await runCli(['get', 'services', '-w'], {
    answers: {
      'GET /v1/services': make.list(...many),
      'GET /v1/services?watch=7': eventStream([]),
    },
    isTTY: true,
    rows: 10,
    env: { NO_COLOR: '1' },
    interruptAt: 'more',
  })
  const [first = []] = frames(stdout)
  t.equal(first.length, 9)
  t.equal(first.at(-1), '… the terminal has no room for 23 more')
})
