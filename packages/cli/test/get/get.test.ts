import t from 'tap'

import type { Answers } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { dedent, runCli, type RunOptions } from '../support/run-cli.ts'

const blocked = make.service({
  name: 'worker',
  zone: 'application',
  replicas: { desired: 2, running: 1, healthy: 0, updated: 0 },
  status: 'blocked',
  reason: 'slot 1: no node of zone application has 512Mi of memory free',
})

const answers: Answers = {
  'GET /v1/services': make.list(make.service(), blocked),
  'GET /v1/services/prod/web': { json: { ...make.service(), source: { kind: 'Service' } } },
  'GET /v1/services/prod/web/revisions': make.list(
    make.revision({ revision: 2, current: false, createdAt: '2026-03-01T10:00:00.000Z' }),
    make.revision(),
  ),
  'GET /v1/instances': make.list(
    make.instance({ id: 'web-1-bcdefghi', slot: 1, node: 'n2' }),
    make.instance(),
    make.instance({
      id: 'worker-0-cdefghij',
      service: 'worker',
      node: null,
      state: 'pending',
      health: 'unknown',
      containerId: null,
      startedAt: null,
      reason: 'no node fits',
      endpoints: [],
    }),
  ),
  'GET /v1/nodes': make.list(
    make.node(),
    make.node({ name: 'n2', state: 'suspect', reason: 'silent for 3 s' }),
  ),
  'GET /v1/rollouts': make.list(
    make.rollout(),
    make.rollout({
      id: 'prod/api@1',
      service: 'api',
      from: null,
      to: 1,
      phase: 'progressing',
      endedAt: null,
    }),
  ),
  'GET /v1/events': make.list(
    make.event(),
    make.event({ revision: 6, action: 'scaled', reason: '' }),
  ),
  'GET /v1/zones': make.list(make.zone(), make.zone({ name: 'data', edge: false, reaches: [] })),
  'GET /v1/endpoints': make.list(
    make.endpoints(),
    make.endpoints({ service: 'api', endpoints: [] }),
  ),
}

const tables: readonly (readonly [string, string])[] = [
  [
    'get services',
    `
    NAME    ENVIRONMENT  ZONE          HEALTHY  STATUS     AGE    REASON
    web     prod         presentation  3/3      converged  3m12s
    worker  prod         application   0/2      blocked    3m12s  slot 1: no node of zone application has 512Mi of memory free
    `,
  ],
  [
    'get svc web -o wide',
    `
    NAME  ENVIRONMENT  ZONE          HEALTHY  STATUS     UPDATED  REVISION  IMAGE                             DIGEST        AGE
    web   prod         presentation  3/3      converged  3/3             3  registry.internal/shop/web:1.4.2  0123456789ab  3m12s
    `,
  ],
  [
    'get instances',
    `
    ID                 ENVIRONMENT  NODE  STATE    HEALTH   REV  AGE    REASON
    web-0-abcdefgh     prod         n1    running  healthy    3  3m12s
    web-1-bcdefghi     prod         n2    running  healthy    3  3m12s
    worker-0-cdefghij  prod         -     pending  unknown    3  5m     no node fits
    `,
  ],
  [
    'get i web-0',
    `
    ID              ENVIRONMENT  NODE  STATE    HEALTH   REV  AGE
    web-0-abcdefgh  prod         n1    running  healthy    3  3m12s
    `,
  ],
  [
    'get nodes',
    `
    NAME  STATE    ZONES         INSTANCES    CPU     MEMORY  AGE  REASON
    n1    ready    presentation          3  1.5/4  768Mi/8Gi  9d
    n2    suspect  presentation          3  1.5/4  768Mi/8Gi  9d   silent for 3 s
    `,
  ],
  [
    'get rollout',
    `
    SERVICE  ENVIRONMENT  FROM  TO  PHASE        TOOK  AGE
    api      prod            -   1  progressing  4m    4m
    web      prod            2   3  completed    48s   4m
    `,
  ],
  [
    'get events',
    `
    AGE  SUBJECT   ACTION   REASON
    30s  prod/web  applied  revision 3
    30s  prod/web  scaled
    `,
  ],
  [
    'get zones',
    `
    NAME          EDGE  REACHES      NODES  SERVICES
    data          no    -                2         1
    presentation  yes   application      2         1
    `,
  ],
  [
    'get endpoints',
    `
    SERVICE  ENVIRONMENT  PORT  ADDRESS         INSTANCE        NODE
    api      prod         -     -               -               -
    web      prod         http  10.0.0.1:20001  web-0-abcdefgh  n1
    `,
  ],
  [
    'get revisions web.prod',
    `
    REVISION  IMAGE                             ACTOR  AGE  CAUSE
           2  registry.internal/shop/web:1.4.2  admin  2h   applied
         * 3  registry.internal/shop/web:1.4.2  admin  4m   applied
    `,
  ],
]

for (const [line, expected] of tables) {
  t.test(line, async (t) => {
    const { stdout, stderr, exitCode } = await runCli(line.split(' '), { answers })
    t.equal(stdout, dedent(expected))
    t.equal(stderr, '')
    t.equal(exitCode, 0)
  })
}

const requests: readonly (readonly [string, string, Partial<RunOptions>?])[] = [
  ['get services', '/v1/services'],
  ['get services -e prod', '/v1/services?environment=prod'],
  ['get services', '/v1/services?environment=test', { context: 'environment: test\n' }],
  ['get services -A', '/v1/services', { context: 'environment: test\n' }],
  ['get nodes -e prod', '/v1/nodes'],
  ['get instances --all --node n1 --service web', '/v1/instances?service=web&node=n1&all=true'],
]

t.test('what is asked of the API', async (t) => {
  for (const [line, url, options] of requests) {
    const { urls, requests } = await runCli(line.split(' '), { answers, ...options })
    t.strictSame(urls, [`GET ${url}`], line)
    t.equal(requests[0]?.token, 'Bearer secret-token')
  }
})

t.test('-o json and yaml are what the API said', async (t) => {
  const { stdout } = await runCli(['get', 'services', '-o', 'json'], { answers })
  t.strictSame(JSON.parse(stdout), { revision: 7, items: [make.service(), blocked] })
  const one = await runCli(['get', 'service', 'web', '-o', 'json'], { answers })
  t.strictSame(JSON.parse(one.stdout), { ...make.service(), source: { kind: 'Service' } })
  const yaml = await runCli(['get', 'zone', 'data', '-o', 'yaml'], { answers })
  t.equal(yaml.stdout, 'name: data\nedge: false\nreaches: []\negress: []\nnodes: 2\nservices: 1\n')
})

t.test('nothing and nobody', async (t) => {
  const none = { 'GET /v1/services': make.list() }
  const empty = await runCli(['get', 'services', '-e', 'prod'], { answers: none })
  t.equal(empty.stdout, '')
  t.equal(empty.stderr, 'no services in environment prod\n')
  t.equal(empty.exitCode, 0)
  const unknown = await runCli(['get', 'service', 'wrker'], { answers })
  t.equal(unknown.stderr, 'error: service wrker: there is none; did you mean worker?\n')
  t.equal(unknown.exitCode, 2)
})

t.test('a terminal gets colours and lines that fit', async (t) => {
  const tty = { answers, isTTY: true, columns: 80 }
  const plain = await runCli(['get', 'services'], { ...tty, env: { NO_COLOR: '1' } })
  const lines = plain.stdout.trimEnd().split('\n')
  t.ok(lines.every((line) => line.length <= 80))
  t.equal(lines[3], '    slot 1: no node of zone application has 512Mi of memory free')
  const broad = await runCli(['get', 'services'], { ...tty, columns: 100, env: { NO_COLOR: '1' } })
  t.match(broad.stdout, /blocked    3m12s  slot 1: no node of zone application h…\n/)
  const coloured = await runCli(['get', 'services'], tty)
  t.match(coloured.stdout, '\u001b[32mconverged\u001b[39m')
  t.match(coloured.stdout, '\u001b[31mblocked\u001b[39m')
  const forced = await runCli(['get', 'services'], { answers, env: { FORCE_COLOR: '1' } })
  t.match(forced.stdout, '\u001b[32mconverged\u001b[39m')
})

t.test('what a server sends cannot steer the terminal', async (t) => {
  const reason = 'evil\u001b[2J\u0007\r\ntext'
  const { stdout } = await runCli(['get', 'services'], {
    answers: { 'GET /v1/services': make.list(make.service({ status: 'degraded', reason })) },
  })
  t.match(stdout, 'evil [2J text')
})

t.test('wide characters stand below their titles', async (t) => {
  const zones = make.list(make.zone({ reaches: ['日本'] }), make.zone({ name: 'data' }))
  const { stdout } = await runCli(['get', 'zones'], { answers: { 'GET /v1/zones': zones } })
  t.match(stdout, 'presentation  yes   日本             2')
})

t.test('where a zone may connect to outside is a column of the wide table', async (t) => {
  const egress = [
    { to: '10.20.0.0/16', protocol: 'tcp' as const, ports: [443, 8443] },
    { to: 'fd00::/8', protocol: 'udp' as const, ports: [] },
  ]
  const answers = { 'GET /v1/zones': make.list(make.zone({ egress })) }
  const { stdout } = await runCli(['get', 'zones', '-o', 'wide'], { answers })
  t.match(stdout, /EGRESS\n.* 10\.20\.0\.0\/16 tcp 443,8443; fd00::\/8 udp all ports\n/)
  const narrow = await runCli(['get', 'zones'], { answers })
  t.notMatch(narrow.stdout, 'EGRESS')
})

t.test('several kinds at once', async (t) => {
  const { stdout, exitCode } = await runCli(['get', 'svc,nodes', '-A'], { answers })
  t.match(stdout, /^NAME +ENVIRONMENT[^]*\n\nNAME +STATE[^]*\n$/)
  t.equal(exitCode, 0)
  const json = await runCli(['get', 'services,nodes', '-o', 'json'], { answers })
  t.strictSame(Object.keys(JSON.parse(json.stdout) as object), ['services', 'nodes'])
  const { items } = (JSON.parse(json.stdout) as { nodes: { items: unknown[] } }).nodes
  t.ok(items.length > 0)
  const watched = await runCli(['get', 'services,nodes', '-w'], { answers })
  t.equal(
    watched.stderr,
    'error: get services,nodes: --watch follows one kind at a time; ask for each by itself\n',
  )
  t.equal(watched.exitCode, 2)
  const revisions = await runCli(['get', 'services,revisions', 'web'], { answers })
  t.match(revisions.stderr, /revisions are of one service/)
  const unknown = await runCli(['get', 'services,nodse'], { answers })
  t.match(unknown.stderr, /^error: nodse: .*did you mean nodes\?\n$/)
})

t.test('a column is left out where it was asked for', async (t) => {
  const narrowed: Answers = {
    'GET /v1/services?environment=prod': make.list(make.service()),
    'GET /v1/instances?node=n1': make.list(make.instance()),
  }
  const title = async (...line: readonly string[]) =>
    (await runCli(line, { answers: narrowed })).stdout.split('\n')[0]?.replaceAll(/ +/g, ' ')
  t.equal(await title('get', 'services', '-e', 'prod'), 'NAME ZONE HEALTHY STATUS AGE')
  t.match(await title('get', 'services', '-e', 'prod', '-o', 'wide'), 'NAME ENVIRONMENT ZONE')
  t.equal(await title('get', 'instances', '--node', 'n1'), 'ID ENVIRONMENT STATE HEALTH REV AGE')
})
