import t from 'tap'

import { type Answers, eventStream } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { runCli } from '../support/run-cli.ts'

const why = 'must move, as node n1 is drained: no node has room'
const blocked = make.service({ status: 'blocked', reason: `3 of 3 healthy; ${why}` })
const two = make.list(make.instance(), make.instance({ id: 'web-1-bcdefghi', slot: 1 }))
const quiet: Answers = {
  'POST /v1/nodes/n1/drain': { json: make.node({ state: 'draining' }) },
  'GET /v1/instances': two,
  'GET /v1/services': make.list(make.service()),
  'GET /v1/instances?node=n1&watch=7': eventStream([]),
  'GET /v1/services?watch=7': eventStream([]),
}
const remedy = 'bulkhead node drain n1 --deadline 1m stops what is left'
const line = ['node', 'drain', 'n1']

t.test('a drain that goes well is quiet', async (t) => {
  const { stdout, stderr, exitCode, requests } = await runCli(line, { answers: quiet })
  t.equal(stdout, 'node n1: draining\n')
  t.equal(stderr, '')
  t.equal(exitCode, 0)
  t.strictSame(requests[0]?.body, {})
})

t.test('what cannot move is said at once, with the remedy', async (t) => {
  const answers = { ...quiet, 'GET /v1/services': make.list(blocked) }
  const { stderr, exitCode } = await runCli(line, { answers })
  const warning = `warning: node n1: 2 instances of web.prod cannot move: ${why}`
  t.equal(stderr, `${warning}\nnode n1: ${remedy}\n`)
  t.equal(exitCode, 0)
  const withDeadline = await runCli([...line, '--deadline', '1m30s'], { answers })
  t.strictSame(withDeadline.requests[0]?.body, { deadlineMs: 90_000 })
  t.equal(withDeadline.stderr, `${warning}\nnode n1: see bulkhead get instances --node n1\n`)
})

t.test('a node that does not answer is warned of', async (t) => {
  const { stderr } = await runCli(line, {
    answers: {
      ...quiet,
      'POST /v1/nodes/n1/drain': { json: make.node({ state: 'lost', reason: 'silent for 9s' }) },
    },
  })
  t.match(stderr, /^warning: node n1: it is lost \(silent for 9s\); nothing on it can be stopped/)
})

t.test('a drain can be waited for', async (t) => {
  const put = (revision: number, item: object) => ({ revision, type: 'put', item })
  const { stdout, stderr, exitCode } = await runCli([...line, '--wait'], {
    answers: {
      ...quiet,
      'GET /v1/instances?node=n1&watch=7': eventStream([
        put(8, make.instance({ state: 'draining' })),
        put(9, make.instance({ state: 'stopped' })),
        { revision: 10, type: 'delete', item: make.instance({ id: 'web-1-bcdefghi' }) },
      ]),
    },
  })
  t.match(
    stdout,
    /^node n1: draining\nnode n1: 2 instances left\nnode n1: 1 instance left\nnode n1: drained in 0/,
  )
  t.equal(stderr, '')
  t.equal(exitCode, 0)
})

t.test('a drain that does not come true ends with what stays and why', async (t) => {
  const wait = [...line, '--wait', '--timeout', '200ms']
  const answers = { ...quiet, 'GET /v1/services': make.list(blocked) }
  const one = await runCli(wait, { answers })
  t.strictSame(one.stderr.trimEnd().split('\n'), [
    `warning: node n1: 2 instances of web.prod cannot move: ${why}`,
    `error: node n1: not drained after 200ms: 2 instances of web.prod cannot move: ${why}; ${remedy}`,
  ])
  t.equal(one.exitCode, 1)
  const slow = await runCli(wait, { answers: quiet })
  t.equal(
    slow.stderr,
    'error: node n1: not drained after 200ms: 2 instances left; ' +
      'see bulkhead get instances --node n1\n',
  )
  const several = await runCli(wait, {
    answers: {
      ...answers,
      'GET /v1/instances': make.list(make.instance(), make.instance({ id: 'x', service: 'api' })),
      'GET /v1/services': make.list(blocked, { ...blocked, name: 'api' }),
    },
  })
  t.match(several.stderr, `1 instance of api.prod cannot move: ${why}\n`)
  t.match(several.stderr, /error: node n1: .* 2 services cannot move; bulkhead node drain/)
})
