import type { ObjectChange, PlanResult } from '@bulkhead/shared'
import t from 'tap'

import type { Answers } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { dedent, runCli } from '../support/run-cli.ts'

const objects: readonly ObjectChange[] = [
  make.change({
    name: 'api',
    action: 'create',
    revision: 1,
    warnings: ['volumes are not mounted yet.'],
  }),
  make.change({
    action: 'update',
    revision: 4,
    changes: [
      { path: '/args/0', before: '--quiet' },
      { path: '/env/LOG_LEVEL', after: 'debug mode' },
      { path: '/image', before: 'shop/web:1.4.1', after: 'shop/web:1.4.2' },
      { path: '/ports/a~1b', before: { port: 80 }, after: { port: 8080 } },
    ],
  }),
  make.change({ name: 'old', action: 'delete' }),
  make.change({ name: 'same' }),
  make.change({
    kind: 'Zones',
    name: 'zones',
    environment: null,
    action: 'update',
    changes: [{ path: '/zones/data/edge', before: false, after: true }],
  }),
]

const documents =
  'apiVersion: bulkhead/v1\nkind: Service\nname: web\nreplicas: many\n---\nkind: Zones\n'
const parsed = [
  { apiVersion: 'bulkhead/v1', kind: 'Service', name: 'web', replicas: 'many' },
  { kind: 'Zones' },
]

const diff = (changed: readonly ObjectChange[]): Answers => ({
  'POST /v1/diff': { json: { revision: 7, objects: changed } },
})

t.test('diff shows what changes where', async (t) => {
  const { stdout, stderr, exitCode, requests } = await runCli(['diff', '-f', '-'], {
    answers: diff(objects),
    stdin: documents,
  })
  t.equal(
    stdout,
    dedent(`
    + Service api.prod

    ~ Service web.prod
      - args[0]        --quiet
      + env.LOG_LEVEL  "debug mode"
      ~ image          shop/web:1.4.1 → shop/web:1.4.2
      ~ ports.a/b      {"port":80} → {"port":8080}

    - Service old.prod

    ~ Zones zones
      ~ zones.data.edge  false → true

    1 to create, 2 to update, 1 to delete, 1 unchanged
    `),
  )
  t.equal(stderr, 'warning: Service api.prod: volumes are not mounted yet.\n')
  t.equal(exitCode, 1)
  t.strictSame(requests[0]?.body, {
    documents: parsed,
    prune: false,
    allowPending: false,
  })
})

t.test('diff: no change is exit code 0, and colours show signs', async (t) => {
  const same = await runCli(['diff', '-f', '-'], {
    answers: diff([make.change({})]),
    stdin: documents,
  })
  t.equal(same.stdout, '1 unchanged\n')
  t.equal(same.exitCode, 0)
  const coloured = await runCli(['diff', '-f', '-'], {
    answers: diff(objects),
    stdin: documents,
    env: { FORCE_COLOR: '1' },
  })
  t.match(coloured.stdout, '\u001b[32m+ env.LOG_LEVEL\u001b[39m')
  t.match(coloured.stdout, '\u001b[31m- args[0]      \u001b[39m')
})

t.test('diff: of an image the tag, and another digest where the tag is the same', async (t) => {
  const image = 'registry.internal:5000/shop/web:1.4.1'
  const digest = (first: string): string => `${image}@sha256:${first.padEnd(64, '0')}`
  const shown = async (before: string, after: string): Promise<string> => {
    const changes = [{ path: '/image', before, after }]
    const answers = diff([make.change({ action: 'update', changes })])
    return (await runCli(['diff', '-f', '-'], { answers, stdin: documents })).stdout
  }
  t.match(
    await shown(digest('a'), `${image}-b@sha256:${'b'.repeat(64)}`),
    ` ${image} → ${image}-b\n`,
  )
  t.match(
    await shown(digest('abc'), digest('abd')),
    ` ${image}@sha256:abc000000000… → ${image}@sha256:abd000000000…\n`,
  )
})

const plan: PlanResult = {
  revision: 7,
  rollouts: [
    {
      service: 'web',
      environment: 'prod',
      strategy: 'canary',
      steps: [
        '10 % of new traffic to 1 of 3 instances for 1m',
        '100 % of new traffic to 3 of 3 instances',
      ],
    },
  ],
  objects: objects.slice(0, 2),
  steps: [
    {
      service: 'web',
      environment: 'prod',
      action: 'replace',
      slot: 1,
      instance: 'web-1-abcdefgh',
      node: 'n2',
      reason: 'revision 4',
    },
    {
      service: 'web',
      environment: 'prod',
      action: 'wait',
      slot: 0,
      instance: null,
      node: null,
      reason: 'maxUnavailable 0',
    },
    {
      service: 'api',
      environment: 'prod',
      action: 'place',
      slot: 0,
      instance: null,
      node: 'n1',
      reason: 'fewest instances',
    },
  ],
  refused: [],
}

t.test('plan is a table by service', async (t) => {
  const { stdout, exitCode, requests } = await runCli(
    ['plan', '-f', '-', '--prune', '--allow-pending'],
    {
      answers: { 'POST /v1/plan': { json: plan } },
      stdin: documents,
    },
  )
  t.equal(
    stdout,
    dedent(`
    canary  web.prod: 10 % of new traffic to 1 of 3 instances for 1m; 100 % of new traffic to 3 of 3 instances

    SERVICE   SLOT  ACTION   NODE  REASON
    api.prod     0  place    n1    fewest instances
    web.prod     0  wait     -     maxUnavailable 0
    web.prod     1  replace  n2    revision 4

    1 to create, 1 to update
    `),
  )
  t.equal(exitCode, 0)
  t.strictSame(requests[0]?.body, { documents: parsed, prune: true, allowPending: true })
})

t.test('plan tells of what changes and places nothing', async (t) => {
  const { stdout } = await runCli(['plan', '-f', '-'], {
    answers: { 'POST /v1/plan': { json: { ...plan, objects, steps: [], rollouts: [] } } },
    stdin: documents,
  })
  t.equal(stdout, 'update  Zones zones\n\n1 to create, 2 to update, 1 to delete, 1 unchanged\n')
})

t.test('plan: what is refused comes first, exit code 3', async (t) => {
  const reason = 'zone data has 1 node, 3 replicas must be on different ones'
  const refused = [{ service: 'db', environment: 'prod', reason }]
  const { stdout, exitCode } = await runCli(['plan', '-f', '-'], {
    answers: { 'POST /v1/plan': { json: { ...plan, refused, rollouts: [] } } },
    stdin: documents,
  })
  t.match(stdout, new RegExp(`^refused {2}db\\.prod: ${reason}\n\nSERVICE`))
  t.match(stdout, /1 to create, 1 to update; 1 service refused\n$/)
  t.equal(exitCode, 3)
})

t.test('apply', async (t) => {
  const { stdout, stderr, exitCode, requests } = await runCli(['apply', '-f', '-'], {
    answers: { 'POST /v1/apply': { json: { revision: 8, objects } } },
    stdin: documents,
  })
  t.equal(
    stdout,
    dedent(`
    Service api.prod: created, revision 1
    Service web.prod: updated, revision 4
    Service old.prod: deleting
    Service same.prod: unchanged
    Zones zones: updated
    `),
  )
  t.match(stderr, /^warning: Service api\.prod: volumes/)
  t.equal(exitCode, 0)
  t.strictSame(requests[0]?.body, { documents: parsed, prune: false, allowPending: false })
})

t.test('what the server finds wrong is shown at its place', async (t) => {
  const { stderr, exitCode, stdout } = await runCli(['apply', '-f', '-'], {
    answers: {
      'POST /v1/apply': {
        problem: 'bad-spec',
        detail: 'the documents have 2 problems',
        advice: 'correct them',
        problems: [
          { document: 0, path: '/replicas', message: 'must be a whole number' },
          { document: 0, path: '/replicas', message: 'unknown key', on: 'key' },
          { document: 1, path: '', message: 'is there twice', first: 0 },
        ],
      },
    },
    stdin: documents,
  })
  t.equal(
    stderr,
    dedent(`
    -:4:1: unknown key
    -:4:11: must be a whole number
    -:6:1: is there twice; first at -:1:1
    error: documents: 3 problems; correct them
    `),
  )
  t.equal(stdout, '')
  t.equal(exitCode, 2)
})

t.test('what is no YAML is not sent', async (t) => {
  const bad = await runCli(['apply', '-f', '-'], { stdin: 'a: [1' })
  t.match(
    bad.stderr,
    /^-:1:\d+: .*\n[\s\S]*error: documents: 1 problem; correct them and try again\n$/,
  )
  t.equal(bad.exitCode, 2)
  t.strictSame(bad.urls, [])
  const missing = await runCli(['diff', '-f', '/nowhere.yaml'])
  t.match(missing.stderr, /^\/nowhere\.yaml: .*there is no such file/)
  t.equal(missing.exitCode, 2)
})

t.test('validate works offline', async (t) => {
  const good = 'apiVersion: bulkhead/v1\nkind: Service\nname: web\nzone: data\nimage: nginx\n'
  const offline = { server: 'http://127.0.0.1:1', env: { BULKHEAD_CONTEXT: '' } }
  const fine = await runCli(['validate', '-f', '-'], { ...offline, stdin: good })
  t.equal(fine.stdout, '1 document: no problems\n')
  t.equal(fine.exitCode, 0)
  const bad = await runCli(['validate', '-f', '-'], { ...offline, stdin: `${good}replcas: 3\n` })
  t.match(bad.stderr, /^-:6:1: .*replcas.*replicas[\s\S]*\nerror: documents: 1 problem; correct them/)
  t.equal(bad.exitCode, 2)
})

t.test('schema', async (t) => {
  const kinds = await runCli(['schema'])
  t.equal(kinds.stdout, 'Service\nExternalService\nZones\n')
  const { stdout } = await runCli(['schema', 'service'])
  t.match(JSON.parse(stdout), { $schema: String, title: 'Service', properties: { image: Object } })
})
