import t from 'tap'

import type { Answers } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { runCli, type RunOptions } from '../support/run-cli.ts'

type Case = readonly [line: string, exitCode: number, stderr: string | RegExp, options?: RunOptions]

const web = { 'GET /v1/services/default/web': { json: make.service({ environment: 'default' }) } }

const refused: Answers = {
  'GET /v1/nodes': { problem: 'not-authenticated', detail: 'no token was sent', advice: 'use one' },
  'GET /v1/zones': { raw: (_request, response) => response.writeHead(502).end('<html>') },
  'GET /v1/services': { raw: (_request, response) => response.end('<html>') },
  'GET /v1/rollouts': { problem: 'store-failed', detail: 'the disk is full' },
}

const cases: readonly Case[] = [
  ['gett', 2, 'error: gett: there is no such command; did you mean get?\n'],
  ['compliance list', 2, 'error: compliance: there is no such command; see bulkhead --help\n'],
  ['--wat', 2, "error: bulkhead: unknown option '--wat'; see bulkhead --help\n"],
  [
    'scale web',
    2,
    "error: scale: option '--replicas <n>' is required; see bulkhead scale --help\n",
  ],
  [
    'restart web --wiat',
    2,
    "error: restart: unknown option '--wiat'; did you mean --wait? see bulkhead restart --help\n",
  ],
  [
    'get services --json',
    2,
    "error: get: unknown option '--json'; did you mean -o json? see bulkhead get --help\n",
  ],
  [
    'scale web --replicas -1',
    2,
    /^error: scale: .*must be a whole number; see bulkhead scale --help\n$/,
  ],
  [
    'apply',
    2,
    "error: apply: option '-f, --file <path>' is required; see bulkhead apply --help\n",
  ],
  ['apply -f x --timeout soon', 2, /must be a duration such as 500ms, 90s, 5m or 1h; see/],
  ['get', 2, "error: get: argument 'kind' is missing; see bulkhead get --help\n"],
  [
    'node drain',
    2,
    "error: node drain: argument 'node' is missing; see bulkhead node drain --help\n",
  ],
  [
    'completion tcsh',
    2,
    "error: completion: argument 'shell' is 'tcsh': it must be one of bash, zsh, fish; " +
      'see bulkhead completion --help\n',
  ],
  [
    'get nodes -o',
    2,
    "error: get: option '-o, --output <format>' needs a value; see bulkhead get --help\n",
  ],
  [
    'get services a b',
    2,
    /^error: get: too many arguments: 2 expected, 3 given: /,
  ],
  [
    'get -o xml services',
    2,
    /is 'xml': it must be one of table, wide, json, yaml; see bulkhead get --help/,
  ],
  ['get sevices', 2, 'error: sevices: there is no such kind here; did you mean services?\n'],
  ['get nodes --all', 2, 'error: get nodes: --all says nothing about them; leave it out\n'],
  [
    'get revisions',
    2,
    'error: get revisions: no service is named; write bulkhead get revisions SERVICE\n',
  ],
  ['describe event x', 2, /there is no such kind here; the kinds are services, instances/],
  [
    'rollout pasue web',
    2,
    "error: rollout: unknown command 'pasue'; did you mean pause? see bulkhead rollout --help\n",
  ],
  ['token create', 2, /no kind of token is named; write bulkhead token create --node/],
  [
    'node label n1 x',
    2,
    'error: node label: x is no label; write KEY=VALUE to set it and KEY- to remove it\n',
  ],
  ['schema Servce', 2, 'error: schema: there is no kind Servce; did you mean Service?\n'],
  ['get nodes', 3, 'error: no token was sent; use one\n', { answers: refused }],
  [
    'get zones',
    4,
    /^error: GET \/v1\/zones: answered with status 502; check that/,
    { answers: refused },
  ],
  [
    'get services',
    1,
    /^error: GET \/v1\/services: the answer is not JSON; check that/,
    { answers: refused },
  ],
  ['get rollouts', 4, 'error: the disk is full\n', { answers: refused }],
  [
    'get nodes',
    4,
    /^error: cannot reach http:\/\/127.0.0.1:1: connection refused; check that/,
    { server: 'http://127.0.0.1:1' },
  ],
  [
    'get nodes',
    2,
    /^error: context \S+: unknown key tokn; a context file has/,
    { context: 'tokn: x' },
  ],
  [
    'get nodes --context /nowhere',
    2,
    /^error: context \/nowhere: there is no such file; a context/,
  ],
  [
    'rollout promote web',
    3,
    'error: nothing to promote; only a canary can be\n',
    {
      answers: {
        ...web,
        'POST /v1/services/default/web/promote': {
          problem: 'conflict',
          detail: 'nothing to promote',
          advice: 'only a canary can be',
        },
      },
    },
  ],
]

for (const [line, exitCode, stderr, options] of cases) {
  t.test(`${line} ${JSON.stringify(options ?? {}).slice(0, 40)}`, async (t) => {
    const result = await runCli(line.split(' '), options)
    if (typeof stderr === 'string') t.equal(result.stderr, stderr)
    else t.match(result.stderr, stderr)
    t.equal(result.stderr.trimEnd().split('\n').length, 1, 'one line')
    t.equal(result.stdout, '')
    t.equal(result.exitCode, exitCode)
  })
}

t.test('with -o json errors are JSON', async (t) => {
  const { stderr, exitCode } = await runCli(['get', 'nodes', '-o', 'json'], { answers: refused })
  t.strictSame(JSON.parse(stderr), {
    error: {
      code: 'not-authenticated',
      message: 'no token was sent',
      details: { advice: 'use one' },
    },
  })
  t.equal(exitCode, 3)
  const usage = await runCli(['get', 'wat', '--output=json'])
  t.match(JSON.parse(usage.stderr), { error: { code: 'bad-usage' } })
})

t.test('no stack trace unless it is asked for', async (t) => {
  const quiet = await runCli(['get', 'nodes'], { answers: refused })
  t.notMatch(quiet.stderr, /\n {4}at /)
  const debug = await runCli(['get', 'nodes'], { answers: refused, env: { BULKHEAD_DEBUG: '1' } })
  t.match(debug.stderr, /\n {4}at /)
})

t.test('no context at all', async (t) => {
  const env = { BULKHEAD_CONTEXT: '', HOME: '/nowhere' }
  const { stderr, exitCode } = await runCli(['get', 'nodes'], { env })
  t.match(
    stderr,
    /^error: no context: .* there is no \/nowhere\/\.config\/bulkhead\/context\.yaml; use/,
  )
  t.equal(exitCode, 2)
})

t.test('help', async (t) => {
  const none = await runCli([])
  t.match(none.stderr, /^Usage: bulkhead COMMAND/)
  t.equal(none.exitCode, 2)
  for (const argv of [['help'], ['--help'], ['-h']]) {
    const { stdout, exitCode } = await runCli(argv)
    t.match(stdout, /^Usage: bulkhead COMMAND[\s\S]+Deploy:[\s\S]+ {2}apply +Make the cluster/)
    t.equal(exitCode, 0)
  }
  const get = await runCli(['help', 'get'])
  t.match(get.stdout, /^Usage: bulkhead get \[options\] <kind> \[name\]/)
  t.equal(get.exitCode, 0)
  const version = await runCli(['--version'])
  t.match(version.stdout, /^bulkhead [0-9.]+\n$/)
})
