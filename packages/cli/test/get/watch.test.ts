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
        watch(8, make.service()),
        watch(9, changed),
        watch(10, make.service(), 'delete'),
      ]),
    },
    interruptAt: 'deleted',
  })
  t.equal(
    stdout,
    dedent(`
    NAME  ENVIRONMENT  ZONE          HEALTHY  STATUS     AGE    REASON
    web   prod         presentation  3/3      converged  3m12s
    web   prod         presentation  2/3      progressing  3m12s  waiting for web-2 to be healthy
    web   prod         presentation  3/3      converged    3m12s  deleted
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
