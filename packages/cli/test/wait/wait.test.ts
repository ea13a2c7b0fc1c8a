import t from 'tap'

import { type Answers, eventStream } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { runCli } from '../support/run-cli.ts'

const watch = (item: unknown) => ({ revision: 8, type: 'put', item })
const counts = (healthy: number, updated: number) => ({
  replicas: { desired: 3, running: 3, healthy, updated },
})
const before = make.service()
const wanted = make.service({ revision: 4, status: 'progressing', ...counts(3, 0) })
const halfway = make.service({
  revision: 4,
  status: 'progressing',
  reason: 'web-2 is starting',
  ...counts(3, 2),
})
const after = make.service({ revision: 4 })
const moving = make.rollout({
  id: 'prod/web@4',
  from: 3,
  to: 4,
  phase: 'progressing',
  endedAt: null,
})

const restarted: Answers = {
  'GET /v1/services/prod/web': { json: before },
  'POST /v1/services/prod/web/restart': { json: wanted },
  'GET /v1/services': make.list(wanted),
  'GET /v1/rollouts': make.list(moving),
  'GET /v1/rollouts?environment=prod&watch=7': eventStream([]),
  'GET /v1/services?environment=prod&watch=7': eventStream([
    watch(halfway),
    watch(halfway),
    watch(after),
  ]),
}
const line = ['restart', 'web.prod', '--wait']

t.test('plain lines, one for each change', async (t) => {
  const { stdout, stderr, exitCode } = await runCli(line, { answers: restarted })
  t.match(stdout.split('\n'), [
    'web.prod: restarting',
    'web.prod: progressing, 0/3 healthy at revision 4',
    'web.prod: progressing, 2/3 healthy at revision 4',
    'web.prod: converged, 3/3 healthy at revision 4',
    /^converged: 1 service in 0\.\ds$/,
    '',
  ])
  t.equal(stdout.split('\n').length, 6)
  t.equal(stderr, '')
  t.equal(exitCode, 0)
})

t.test('a log has a line for what is new, and a failure once', async (t) => {
  const cause = 'web-0 failed three times in a row: exit code 1'
  const crashing = (times: number) => ({
    ...halfway,
    status: 'degraded' as const,
    reason: `web-2 failed ${times} times: exit code 1`,
  })
  const { stdout, stderr, exitCode } = await runCli(line, {
    answers: {
      ...restarted,
      'GET /v1/services?environment=prod&watch=7': eventStream([
        watch({ ...wanted, reason: 'web-2 is pulling' }),
        watch({ ...wanted, reason: 'web-2 is starting' }),
        watch(crashing(1)),
        watch(crashing(2)),
      ]),
      'GET /v1/rollouts?environment=prod&watch=7': eventStream(
        [watch(make.rollout({ id: 'prod/web@4', to: 4, phase: 'rolled-back', reason: cause }))],
        { everyMs: 100 },
      ),
    },
  })
  t.strictSame(stdout.trimEnd().split('\n'), [
    'web.prod: restarting',
    'web.prod: progressing, 0/3 healthy at revision 4',
    'web.prod: degraded, 2/3 healthy at revision 4: web-2 failed 1 times: exit code 1',
  ])
  t.equal(stderr, `error: web.prod: ${cause}; see bulkhead explain web.prod\n`)
  t.equal(exitCode, 1)
})

t.test('a terminal has a line that moves', async (t) => {
  const { stdout, exitCode } = await runCli(line, {
    answers: {
      ...restarted,
      'GET /v1/services?environment=prod&watch=7': eventStream([watch(halfway), watch(after)], {
        everyMs: 150,
      }),
    },
    isTTY: true,
    columns: 70,
    env: { NO_COLOR: '1' },
  })
  t.equal(exitCode, 0)
  t.ok(stdout.includes('\u001b[?25l'), 'hides the cursor')
  t.ok(stdout.lastIndexOf('\u001b[?25h') > stdout.lastIndexOf('\u001b[?25l'), 'and shows it again')
  t.match(stdout, /[⠋⠙⠹⠸⠼⠴] web\.prod {2}██████░░░░ {2}2\/3 {2}progressing {2}web-2 is starting\n/)
  const last = '✔ web.prod  ██████████  3/3  converged\n\u001b[?7h\u001b[?25hconverged: 1 service in'
  t.match(stdout, last)
  // eslint-disable-next-line no-control-regex
  const drawn = stdout.replace(/\u001b\[[0-9?]*[A-Za-z]/g, '').split(/[\n\r]/)
  t.ok(drawn.every((text) => text.length < 70))
  const ascii = await runCli(line, {
    answers: restarted,
    isTTY: true,
    env: { LANG: 'C', NO_COLOR: '1' },
  })
  t.match(ascii.stdout, '+ web.prod  ##########  3/3  converged\n')
})

t.test('a failed rollout ends the wait at once', async (t) => {
  const reason = 'web-0 failed three times in a row: exit code 1'
  const answers: Answers = {
    ...restarted,
    'GET /v1/services?environment=prod&watch=7': eventStream([]),
    'GET /v1/rollouts?environment=prod&watch=7': eventStream([
      watch(make.rollout({ id: 'prod/web@4', to: 4, phase: 'rolled-back', reason })),
    ]),
  }
  const { stderr, exitCode } = await runCli([...line, '--timeout', '30s'], { answers })
  t.equal(stderr, `error: web.prod: ${reason}; see bulkhead explain web.prod\n`)
  t.equal(exitCode, 1)
  const json = await runCli([...line, '-o', 'json'], { answers })
  t.equal(JSON.parse(json.stdout).revision, 4)
  t.match(JSON.parse(json.stderr), {
    error: {
      code: 'did-not-happen',
      details: {
        services: [{ service: 'web', environment: 'prod', status: 'rolled-back', reason }],
      },
    },
  })
})

t.test('a wait that is too long tells why', async (t) => {
  const { stderr, exitCode } = await runCli([...line, '--timeout', '100ms'], {
    answers: {
      ...restarted,
      'GET /v1/services': make.list(halfway),
      'GET /v1/services?environment=prod&watch=7': eventStream([]),
    },
  })
  t.equal(
    stderr,
    'error: web.prod: not converged after 100ms: web-2 is starting; ' +
      'see bulkhead explain web.prod\n',
  )
  t.equal(exitCode, 1)
})

t.test('a server without watches is asked again and again', async (t) => {
  const { stdout, exitCode, urls } = await runCli(line, {
    answers: {
      ...restarted,
      'GET /v1/services?environment=prod&watch=7': make.list(wanted),
      'GET /v1/services?environment=prod': [make.list(wanted), make.list(after)],
    },
  })
  t.equal(exitCode, 0)
  t.match(stdout, /converged: 1 service/)
  t.ok(urls.filter((url) => url === 'GET /v1/services?environment=prod').length >= 2)
})

t.test('a server that is away for a while is waited for', async (t) => {
  const { stdout, stderr, exitCode } = await runCli(line, {
    answers: {
      ...restarted,
      'GET /v1/services?environment=prod&watch=7': [
        { raw: (request) => request.socket.destroy() },
        eventStream([watch(after)]),
      ],
    },
  })
  t.equal(exitCode, 0)
  t.match(stderr, /^warning: cannot reach .*; trying again\n$/)
  t.match(stdout, /converged: 1 service/)
})

t.test('Ctrl-C ends a wait quietly', async (t) => {
  const options = {
    answers: { ...restarted, 'GET /v1/services?environment=prod&watch=7': eventStream([]) },
  }
  const plain = await runCli(line, { ...options, interruptAt: '0/3 healthy' })
  t.equal(plain.exitCode, 130)
  t.equal(plain.stderr, '')
  const live = await runCli(line, { ...options, isTTY: true, interruptAt: '0/3' })
  t.equal(live.exitCode, 130)
  t.ok(live.stdout.endsWith('\u001b[?25h'))
})

t.test('several services, more than there are rows', async (t) => {
  const names = Array.from({ length: 12 }, (_, index) => `s${index}`)
  const objects = names.map((name) => make.change({ name, action: 'create', revision: 1 }))
  const all = (status: 'progressing' | 'converged', updated: number) =>
    names.map((name) => make.service({ name, revision: 1, status, ...counts(updated, updated) }))
  const { stdout, exitCode } = await runCli(['apply', '-f', '-', '--wait'], {
    stdin: 'kind: Service',
    isTTY: true,
    rows: 10,
    env: { NO_COLOR: '1' },
    answers: {
      'POST /v1/apply': { json: { revision: 7, objects } },
      'GET /v1/rollouts': make.list(),
      'GET /v1/rollouts?environment=prod&watch=7': eventStream([]),
      'GET /v1/services': make.list(...all('progressing', 1)),
      'GET /v1/services?environment=prod&watch=7': eventStream(all('converged', 3).map(watch), {
        everyMs: 30,
      }),
    },
  })
  t.equal(exitCode, 0)
  t.match(stdout, /\d of 12 services have converged/)
  const last = stdout.slice(stdout.lastIndexOf('[0J'))
  t.equal(last.match(/✔ s\d+\.prod/g)?.length, 12, 'the last picture has all of them')
  t.match(stdout, /converged: 12 services in/)
})

t.test('of several services each that is late has a line', async (t) => {
  const objects = ['web', 'api'].map((name) => make.change({ name, action: 'create', revision: 4 }))
  const { stderr, exitCode } = await runCli(['apply', '-f', '-', '--wait', '--timeout', '100ms'], {
    stdin: 'kind: Service',
    answers: {
      'POST /v1/apply': { json: { revision: 7, objects } },
      'GET /v1/rollouts': make.list(),
      'GET /v1/services': make.list(halfway, { ...halfway, name: 'api', reason: 'no node fits' }),
      'GET /v1/services?environment=prod&watch=7': eventStream([]),
      'GET /v1/rollouts?environment=prod&watch=7': eventStream([]),
    },
  })
  t.equal(
    stderr,
    'web.prod: progressing, 2/3 healthy at revision 4: web-2 is starting\n' +
      'api.prod: progressing, 2/3 healthy at revision 4: no node fits\n' +
      'error: web.prod, api.prod: not converged after 100ms; see bulkhead explain web.prod\n',
  )
  t.equal(exitCode, 1)
})

t.test('delete --wait', async (t) => {
  const deleting = make.service({ deleting: true, status: 'progressing' })
  const { stdout, exitCode, urls } = await runCli(['delete', 'svc', 'web.prod', '--wait'], {
    answers: {
      'GET /v1/services/prod/web': { json: before },
      'DELETE /v1/services/prod/web': { json: { revision: 8 } },
      'GET /v1/services': make.list(deleting),
      'GET /v1/rollouts': make.list(),
      'GET /v1/rollouts?environment=prod&watch=7': eventStream([]),
      'GET /v1/services?environment=prod&watch=7': eventStream([
        { revision: 9, type: 'delete', item: deleting },
      ]),
    },
  })
  t.equal(exitCode, 0)
  t.match(
    stdout,
    /^web.prod: deleting\nweb.prod: deleting, 3 left\nweb.prod: gone\ngone: 1 service in/,
  )
  t.ok(urls.includes('DELETE /v1/services/prod/web'))
})
