import t from 'tap'

import type { Answers } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { runCli } from '../support/run-cli.ts'

const web = { json: make.service() }
const n1 = { json: make.node() }
const answers: Answers = {
  'GET /v1/services/prod/web': web,
  'POST /v1/services/prod/web/scale': web,
  'POST /v1/services/prod/web/restart': web,
  'POST /v1/services/prod/web/undo': { json: { ...make.service({ revision: 9 }), undoneTo: 2 } },
  'POST /v1/services/prod/web/pause': web,
  'POST /v1/services/prod/web/promote': web,
  'POST /v1/services/prod/web/resume': web,
  'DELETE /v1/services/prod/web': { json: { revision: 8 } },
  'POST /v1/nodes/n1/cordon': n1,
  'POST /v1/nodes/n1/uncordon': n1,
  'POST /v1/nodes/n1/confirm-dead': n1,
  'POST /v1/nodes/n1/labels': n1,
  'DELETE /v1/nodes/n1': { json: { revision: 8 } },
  'POST /v1/tokens': { json: { token: 'bh-join-1-x', expiresInMs: 1 } },
  'GET /v1/version': { json: { version: '0.1.0', cluster: 'abc' } },
}

type Case = readonly [line: string, request: string, body: unknown, stdout: string]

const cases: readonly Case[] = [
  [
    'scale web.prod --replicas 5',
    'POST /v1/services/prod/web/scale',
    { replicas: 5 },
    'web.prod: scaled from 3 to 5 replicas\n',
  ],
  [
    'scale web.prod --replicas 3',
    'POST /v1/services/prod/web/scale',
    { replicas: 3 },
    'web.prod: has 3 replicas already\n',
  ],
  ['restart web.prod', 'POST /v1/services/prod/web/restart', {}, 'web.prod: restarting\n'],
  [
    'rollout undo web.prod',
    'POST /v1/services/prod/web/undo',
    {},
    'web.prod: going back to the content of revision 2, as revision 9\n',
  ],
  [
    'rollout undo web.prod --to 2',
    'POST /v1/services/prod/web/undo',
    { to: 2 },
    'web.prod: going back to the content of revision 2, as revision 9\n',
  ],
  ['rollout pause web.prod', 'POST /v1/services/prod/web/pause', {}, 'web.prod: paused\n'],
  ['rollout promote web.prod', 'POST /v1/services/prod/web/promote', {}, 'web.prod: promoted\n'],
  [
    'rollout promote web.prod --full',
    'POST /v1/services/prod/web/promote',
    { full: true },
    'web.prod: promoted\n',
  ],
  ['rollout resume -e prod web', 'POST /v1/services/prod/web/resume', {}, 'web.prod: resumed\n'],
  ['delete service web.prod', 'DELETE /v1/services/prod/web', undefined, 'web.prod: deleting\n'],
  ['delete node n1', 'DELETE /v1/nodes/n1', undefined, 'node n1: removed\n'],
  ['node remove n1', 'DELETE /v1/nodes/n1', undefined, 'node n1: removed\n'],
  ['node cordon n1', 'POST /v1/nodes/n1/cordon', {}, 'node n1: cordoned\n'],
  ['node uncordon n1', 'POST /v1/nodes/n1/uncordon', {}, 'node n1: uncordoned\n'],
  ['node confirm-dead n1', 'POST /v1/nodes/n1/confirm-dead', {}, 'node n1: confirmed dead\n'],
  [
    'node label n1 disk=ssd a/b= old-',
    'POST /v1/nodes/n1/labels',
    { set: { disk: 'ssd', 'a/b': '' }, remove: ['old'] },
    'node n1: disk=ssd,gen=5\n',
  ],
  ['token create --discovery', 'POST /v1/tokens', { kind: 'discovery' }, 'bh-join-1-x\n'],
  ['token create --metrics', 'POST /v1/tokens', { kind: 'metrics' }, 'bh-join-1-x\n'],
  ['token create --node', 'POST /v1/tokens', { kind: 'join' }, 'bh-join-1-x\n'],
  [
    'token create --node --name n9 --zone data',
    'POST /v1/tokens',
    { kind: 'join', node: 'n9', zone: 'data' },
    'bh-join-1-x\n',
  ],
  [
    'version',
    'GET /v1/version',
    undefined,
    'bulkhead      0.1.0\ncontrol plane 0.1.0, cluster abc\n',
  ],
]

for (const [line, request, body, expected] of cases) {
  t.test(line, async (t) => {
    const { urls, requests, stdout, stderr, exitCode } = await runCli(line.split(' '), { answers })
    t.equal(urls.at(-1), request)
    t.strictSame(requests.at(-1)?.body, body)
    t.equal(stdout, expected)
    t.equal(stderr, '')
    t.equal(exitCode, 0)
  })
}

t.test('version without a control plane is no error', async (t) => {
  const { stdout, exitCode } = await runCli(['version'], { server: 'http://127.0.0.1:1' })
  t.match(stdout, /^bulkhead {6}0\.1\.0\ncontrol plane cannot reach .*: connection refused\n$/)
  t.equal(exitCode, 0)
  const json = await runCli(['version', '-o', 'json'], { server: 'http://127.0.0.1:1' })
  t.strictSame(JSON.parse(json.stdout), { version: '0.1.0', server: null })
})
