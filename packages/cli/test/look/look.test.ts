import t from 'tap'

import type { Answers } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { dedent, runCli } from '../support/run-cli.ts'

const answers: Answers = {
  'GET /v1/services/prod/web': {
    json: {
      ...make.service({ loosened: ['security.writableRoot'] }),
      spec: {
        ports: { http: { port: 8080, protocol: 'tcp' }, sync: { port: 9000, protocol: 'udp' } },
        expose: [
          { port: 'http', listen: 443, host: 'shop.example', path: '/api', tlsSecret: 'cert' },
          { port: 'http', listen: 80, host: null, path: '/', tlsSecret: null },
        ],
      },
      source: { kind: 'Service', name: 'web' },
    },
  },
  'GET /v1/services/prod/api': { json: make.service({ name: 'api' }) },
  'GET /v1/services': make.list(make.service()),
  'GET /v1/services/prod/web/revisions': make.list(make.revision()),
  'GET /v1/instances': make.list(make.instance()),
  'GET /v1/instances/web-0-abcdefgh': {
    json: make.instance({ state: 'failed', exitCode: 137, attempt: 2 }),
  },
  'GET /v1/nodes': make.list(make.node()),
  'GET /v1/nodes/n1': { json: make.node() },
  'GET /v1/zones': make.list(make.zone()),
  'GET /v1/external-services': make.list({
    apiVersion: 'bulkhead/v1',
    kind: 'ExternalService',
    name: 'ledger',
    environment: 'prod',
    zone: 'presentation',
    addresses: ['10.20.0.5'],
    ports: { postgres: { port: 5432, protocol: 'tcp' } },
    revision: 7,
  }),
  'GET /v1/rollouts': make.list(make.rollout({ to: 2, id: 'prod/web@2' }), make.rollout()),
  'GET /v1/events': make.list(make.event()),
  'GET /v1/explain/services/prod/web': {
    json: {
      subject: 'prod/web',
      summary: 'web (prod) is blocked: slot 1 has no node',
      nodes: [
        { node: 'n1', verdict: 'chosen', reasons: [], score: 1.255 },
        {
          node: 'n2',
          verdict: 'refused',
          reasons: ['zone: is data', 'memory: 128Mi free'],
          score: null,
        },
      ],
      history: [make.event()],
    },
  },
  'GET /v1/top/nodes': {
    json: { items: [{ name: 'n1', cpuMillis: 2900, memoryBytes: 2 ** 30, pids: 40 }] },
  },
  'GET /v1/top/instances': {
    json: {
      items: [
        {
          id: 'web-0-abcdefgh',
          environment: 'prod',
          node: 'n1',
          cpuMillis: 20,
          memoryBytes: 64 * 2 ** 20,
          pids: 4,
        },
        {
          id: 'web-1-bcdefghi',
          environment: 'prod',
          node: 'n1',
          cpuMillis: 900,
          memoryBytes: 65 * 2 ** 20,
          pids: 5,
        },
        {
          id: 'web-0-cdefghij',
          environment: 'test',
          node: 'n1',
          cpuMillis: 500,
          memoryBytes: 66 * 2 ** 20,
          pids: 6,
        },
      ],
    },
  },
  'GET /v1/discovery/prod/web': { json: make.endpoints() },
  'GET /v1/discovery/prod/api': { json: make.endpoints({ service: 'api', endpoints: [] }) },
}

const texts: readonly (readonly [string, string])[] = [
  [
    'describe service web.prod',
    `
    Service       web
    Environment   prod
    Zone          presentation
    Status        converged
    Replicas      3 wanted, 3 running, 3 healthy, 3 up to date
    Revision      3
    Image         registry.internal/shop/web:1.4.2
    Digest        sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
    Address       10.231.0.7
    Ports         http at web.prod.bulkhead:8080, sync 9000/udp
    Exposed       http at 443 for shop.example/api with TLS by secret cert, http at 80
    Labels        team=storefront
    Loosened      security.writableRoot
    Created       3m12s ago (2026-03-01T11:56:48Z)

    Instances
    ID              NODE  STATE    HEALTH   REV  AGE
    web-0-abcdefgh  n1    running  healthy    3  3m12s

    Rollouts
    SERVICE  FROM  TO  PHASE      TOOK  AGE
    web         2   2  completed  48s   4m
    web         2   3  completed  48s   4m

    Events
    AGE  SUBJECT   ACTION   REASON
    30s  prod/web  applied  revision 3

    Document
      kind: Service
      name: web
    `,
  ],
  [
    'describe instance web-0-abcdefgh',
    `
    Instance      web-0-abcdefgh
    Service       web.prod
    Slot          0
    Revision      3
    Zone          presentation
    Node          n1
    State         failed
    Health        healthy
    Exit code     137
    Attempt       2
    Container     c0ffee0123456789
    Image         registry.internal/shop/web:1.4.2
    Digest        sha256:0123
    Endpoints     http at 10.0.0.1:20001
    Created       5m ago (2026-03-01T11:55:00Z)
    Started       3m12s ago (2026-03-01T11:56:48Z)

    Events
    AGE  SUBJECT   ACTION   REASON
    30s  prod/web  applied  revision 3
    `,
  ],
  [
    'describe node n1',
    `
    Node          n1
    State         ready
    Address       10.0.0.1
    Zones         presentation
    Environments  prod
    Labels        disk=ssd,gen=5
    Domain        provider acme / site bonn / rack r1 / host h1
    CPU           1.5 of 4 cores reserved
    Memory        768Mi of 8Gi reserved
    Engine        Docker 28.2.2 (API 1.50), debian x86_64, kernel 6.1, cgroup 2, overlay2
    Zones held    by the kernel
    Proxy         none: HAProxy is not installed; install the package haproxy and start the agent anew
    Names         served to its containers
    Agent         0.1.0
    Joined        9d ago (2026-02-20T12:00:00Z)
    Last heard    1s ago (2026-03-01T11:59:59Z)

    Instances
    ID              ENVIRONMENT  STATE    HEALTH   REV  AGE
    web-0-abcdefgh  prod         running  healthy    3  3m12s

    Events
    AGE  SUBJECT   ACTION   REASON
    30s  prod/web  applied  revision 3
    `,
  ],
  [
    'describe zone presentation',
    `
    Zone          presentation
    Edge          yes: may publish to the outside
    Reaches       application
    Egress        nothing leaves the cluster

    Nodes
    NAME  STATE  ZONES         INSTANCES    CPU     MEMORY  AGE
    n1    ready  presentation          3  1.5/4  768Mi/8Gi  9d

    Services
    NAME  ENVIRONMENT  ZONE          HEALTHY  STATUS     AGE
    web   prod         presentation  3/3      converged  3m12s

    External services
    NAME    ENVIRONMENT  ZONE          ADDRESSES  PORTS
    ledger  prod         presentation  10.20.0.5  postgres 5432/tcp
    `,
  ],
  [
    'explain web.prod',
    `
    web (prod) is blocked: slot 1 has no node

    Nodes for one more instance
    NODE  VERDICT  SCORE  WHY
    n1    chosen    1.25
    n2    refused      -  zone: is data
                          memory: 128Mi free

    AGE  SUBJECT   ACTION   REASON
    30s  prod/web  applied  revision 3
    `,
  ],
  [
    'top nodes',
    `
    NAME  CPU  CPU%  MEMORY  MEM%  PIDS
    n1    2.9   73%     1Gi   13%    40
    `,
  ],
  [
    'top i',
    `
    ID              ENVIRONMENT  NODE   CPU  MEMORY  PIDS
    web-1-bcdefghi  prod         n1     0.9    65Mi     5
    web-0-cdefghij  test         n1     0.5    66Mi     6
    web-0-abcdefgh  prod         n1    0.02    64Mi     4
    `,
  ],
  [
    'top i -e prod',
    `
    ID              NODE   CPU  MEMORY  PIDS
    web-1-bcdefghi  n1     0.9    65Mi     5
    web-0-abcdefgh  n1    0.02    64Mi     4
    `,
  ],
  [
    'resolve web.prod',
    `
    ADDRESS         PORT  INSTANCE        NODE  ZONE
    10.0.0.1:20001  http  web-0-abcdefgh  n1    presentation
    `,
  ],
  [
    'rollout status web.prod',
    `
    web.prod  revision 2 → 3  completed  began 4m ago
           +0s  begun
          +48s  completed
    `,
  ],
  [
    'rollout history web.prod',
    `
    REVISION  IMAGE                             ACTOR  AGE  CAUSE
         * 3  registry.internal/shop/web:1.4.2  admin  4m   applied

    SERVICE  FROM  TO  PHASE      TOOK  AGE
    web         2   2  completed  48s   4m
    web         2   3  completed  48s   4m
    `,
  ],
  [
    'events --since 1m',
    `
    AGE  SUBJECT   ACTION   REASON
    30s  prod/web  applied  revision 3
    `,
  ],
]

for (const [line, expected] of texts) {
  t.test(line, async (t) => {
    const { stdout, stderr, exitCode } = await runCli(line.split(' '), { answers })
    t.equal(stdout, dedent(expected))
    t.equal(stderr, '')
    t.equal(exitCode, 0)
  })
}

t.test(
  'describe node says where names are not served, and nothing when it is not known',
  async (t) => {
    const { namesReason: _, ...network } = make.node().network
    const namesOf = async (names: { namesReason?: string }): Promise<string | undefined> => {
      const json = make.node({ network: { ...network, ...names } })
      const { stdout } = await runCli(['describe', 'node', 'n1'], {
        answers: { ...answers, 'GET /v1/nodes/n1': { json } },
      })
      return /^Names +(.*)$/m.exec(stdout)?.[1]
    }
    t.equal(await namesOf({ namesReason: 'port 53 is taken' }), 'not everywhere: port 53 is taken')
    t.equal(await namesOf({}), undefined)
  },
)

t.test('resolve without an endpoint is exit code 1', async (t) => {
  const { stdout, stderr, exitCode, urls } = await runCli(
    ['resolve', 'api.prod', '--port', 'http'],
    { answers },
  )
  t.equal(stdout, '')
  t.equal(
    stderr,
    'error: api.prod: no healthy instance with port http; see bulkhead explain api.prod\n',
  )
  t.equal(exitCode, 1)
  t.equal(urls.at(-1), 'GET /v1/discovery/prod/api?port=http')
})

t.test('events ask for what is wanted, and follow', async (t) => {
  const none = await runCli(['events', '--since', '10s'], { answers })
  t.equal(none.stderr, 'no events\n')
  const { urls } = await runCli(
    ['events', '--subject', 'prod/web', '--kind', 'Service', '--limit', '5'],
    { answers },
  )
  t.strictSame(urls, ['GET /v1/events?subject=prod%2Fweb&kind=Service&limit=5'])
})

t.test('rollout status of a canary says where traffic goes and what it waits for', async (t) => {
  const shift = {
    strategy: 'canary',
    step: 1,
    steps: [
      { weight: 10, pause: '1m' },
      { weight: 50, pause: 'manual' },
      { weight: 100, pause: '0s' },
    ],
    weight: 10,
    waitsFor: 'time',
    dueAt: '2026-03-01T12:00:43.000Z',
    requests: 120,
    errors: 1,
    maxErrorPercent: 5,
    minRequests: 50,
  } as const
  const reason = 'step 1 of 3: 10 % of new traffic until 12:00:43'
  const rollout = make.rollout({ phase: 'progressing', reason, endedAt: null, history: [], shift })
  const shown = async (given: typeof rollout): Promise<string> => {
    const all = { ...answers, 'GET /v1/rollouts': make.list(given) }
    return (await runCli(['rollout', 'status', 'web.prod'], { answers: all })).stdout
  }
  t.equal(
    await shown(rollout),
    dedent(`
    web.prod  revision 2 → 3  progressing: step 1 of 3: 10 % of new traffic until 12:00:43  began 4m ago
          canary  step 1 of 3 (10 % 1m → 50 % manual → 100 %)
         traffic  10 % to revision 3, 90 % to revision 2
       waits for  its time: 43s left
          errors  0.83 % of 120 requests, at most 5 % may fail
    `),
  )
  const waiting = {
    ...shift,
    step: 2,
    weight: 50,
    waitsFor: 'promote',
    dueAt: null,
    requests: 7,
  } as const
  t.match(
    await shown({ ...rollout, shift: waiting }),
    /waits for {2}bulkhead rollout promote web\.prod\n +errors {2}not judged: 7 of 50 requests seen\n/,
  )
})

t.test('explain says that an external service is one', async (t) => {
  const found = {
    ...answers,
    'GET /v1/services/default/ledger': { problem: 'not-found', detail: 'there is none' },
  } as const
  const { stderr, exitCode } = await runCli(['explain', 'ledger'], { answers: found })
  t.match(
    stderr,
    /ledger\.prod is an external service, of which nothing is placed; see bulkhead describe external-service ledger -e prod/,
  )
  t.equal(exitCode, 2)
})

t.test('rollout status does not say the phase twice', async (t) => {
  const paused = make.rollout({ phase: 'paused', reason: 'paused by admin', endedAt: null })
  const all = { ...answers, 'GET /v1/rollouts': make.list(paused) }
  const { stdout } = await runCli(['rollout', 'status', 'web.prod'], { answers: all })
  t.match(stdout, /^web\.prod {2}revision 2 → 3 {2}paused by admin /)
})

t.test('rollout status --watch ends with the rollout', async (t) => {
  const moving = make.rollout({
    phase: 'progressing',
    endedAt: null,
    history: [{ at: '2026-03-01T11:59:00.000Z', text: 'begun' }],
  })
  const failed = make.rollout({
    phase: 'rolled-back',
    reason: 'no progress',
    history: [...moving.history, { at: '2026-03-01T12:00:00.000Z', text: 'rolled back' }],
  })
  const { stdout, exitCode } = await runCli(['rollout', 'status', 'web.prod', '-w'], {
    answers: {
      ...answers,
      'GET /v1/rollouts': make.list(moving),
      'GET /v1/rollouts?environment=prod&service=web&watch=7': {
        raw: (_request, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' })
          response.write(`data: ${JSON.stringify({ revision: 8, type: 'put', item: failed })}\n\n`)
        },
      },
    },
  })
  t.equal(
    stdout,
    dedent(`
    web.prod  revision 2 → 3  progressing  began 4m ago
           +3m  begun
           +4m  rolled back
    web.prod  revision 2 → 3  rolled-back: no progress
    `),
  )
  t.equal(exitCode, 1)
})

t.test('describe on a terminal goes on below at spaces', async (t) => {
  const { stdout } = await runCli(['describe', 'node', 'n1'], {
    answers,
    isTTY: true,
    columns: 60,
    env: { NO_COLOR: '1' },
  })
  t.match(
    stdout,
    'Engine        Docker 28.2.2 (API 1.50), debian x86_64,\n              kernel 6.1, cgroup 2, overlay2\n',
  )
})

t.test('events say of what kind it is that has no name of its own', async (t) => {
  const events = make.list(
    make.event({ kind: 'Token', subject: 'd9ed7dbaadd9', action: 'created', reason: 'for admin' }),
    make.event({ kind: 'Node', subject: 'n1', action: 'ready', reason: '' }),
  )
  const { stdout } = await runCli(['events'], { answers: { 'GET /v1/events': events } })
  t.match(stdout, /^30s +token d9ed7dbaadd9 +created +for admin$/m)
  t.match(stdout, /^30s +n1 +ready$/m)
})
