import { Ajv } from 'ajv'
import fc from 'fast-check'
import t from 'tap'

import { normaliseService, pointerSegments, sourceSchemas } from '../../src/index.ts'
import { validateDocument, validateDocuments } from '../../src/validation.ts'
import { minimal, validService } from './sources.ts'

/** `PATH MESSAGE` of every problem, none when it is valid. */
function complaints(value: unknown): string[] {
  const result = validateDocument(value)
  return result.ok ? [] : result.problems.map(({ path, message }) => `${path} ${message}`)
}

type Members = Readonly<Record<string, unknown>>

const service = (extra: Members): Members => ({ ...minimal, ...extra })
const zones = (declared: Members): Members => ({
  apiVersion: 'bulkhead/v1',
  kind: 'Zones',
  zones: declared,
})

function table(name: string, cases: readonly (readonly [unknown, readonly string[]])[]): void {
  t.test(name, async (t) => {
    for (const [document, problems] of cases) {
      t.same(complaints(document), problems, JSON.stringify(document).slice(0, 120))
    }
  })
}

t.test('the published schemas are valid themselves', async (t) => {
  const ajv = new Ajv({ strict: true })
  for (const schema of Object.values(sourceSchemas)) t.equal(ajv.validateSchema(schema), true)
})

table('what a document is', [
  [minimal, []],
  [null, [' a document must be a mapping; found nothing']],
  [[], [' a document must be a mapping; found a list']],
  ['Service', [' a document must be a mapping; found "Service"']],
  [
    {},
    [
      ' missing key "apiVersion"; write apiVersion: bulkhead/v1',
      ' missing key "kind"; write kind: Service, ExternalService or Zones',
    ],
  ],
  [
    service({ apiVersion: 'v1', kind: 'Deployment' }),
    [
      '/apiVersion apiVersion must be bulkhead/v1; found "v1"',
      '/kind kind must be Service, ExternalService or Zones; found "Deployment"',
    ],
  ],
  [
    service({ kind: 'service' }),
    [
      '/kind kind must be Service, ExternalService or Zones; found "service"; did you mean "Service"?',
    ],
  ],
  [
    service({ kind: 'constructor' }),
    ['/kind kind must be Service, ExternalService or Zones; found "constructor"'],
  ],
  [
    { apiVersion: 'bulkhead/v1', kind: 'Service', name: 'web' },
    [' missing key "zone"', ' missing key "image"'],
  ],
])

table('keys', [
  [service({ replica: 3 }), ['/replica unknown key "replica"; did you mean "replicas"?']],
  [
    service({ depends_on: [] }),
    ['/depends_on unknown key "depends_on"; did you mean "dependsOn"?'],
  ],
  [service({ Image: 'x' }), ['/Image unknown key "Image"; did you mean "image"?']],
  [service({ somethingElse: 1 }), ['/somethingElse unknown key "somethingElse"']],
  [
    service({ health: { livenes: {} } }),
    ['/health/livenes unknown key "livenes"; did you mean "liveness"?'],
  ],
  [service({ 'a/b~': 1 }), ['/a~1b~0 unknown key "a/b~"']],
  [
    JSON.parse('{"apiVersion":"bulkhead/v1","kind":"Zones","zones":{"a":{}},"__proto__":1}'),
    ['/__proto__ unknown key "__proto__"'],
  ],
  [
    service({ env: { 'a-b': '1' } }),
    [
      '/env/a-b "a-b" cannot be a key of env: a variable is letters, digits and underscores, not starting with a digit',
    ],
  ],
  [
    service({ ports: { HTTP: 80 } }),
    [
      '/ports/HTTP "HTTP" cannot be a key of ports: a name is lower-case letters, digits and hyphens, starting with a letter, at most 50',
    ],
  ],
  [
    service({ health: { liveness: { http: { path: '/' } } } }),
    ['/health/liveness/http missing key "port" in http'],
  ],
])

table('values, one message each, unions included', [
  [service({ replicas: 'x' }), ['/replicas replicas must be a whole number; found "x"']],
  [service({ replicas: null }), ['/replicas replicas must be a whole number; found nothing']],
  [service({ replicas: -1 }), ['/replicas replicas must be at least 0; found -1']],
  [service({ replicas: 1.5 }), ['/replicas replicas must be a whole number; found 1.5']],
  [service({ exclusive: 'yes' }), ['/exclusive exclusive must be true or false; found "yes"']],
  [service({ labels: null }), ['/labels labels must be a mapping; found nothing']],
  [
    service({ args: ['a', 8080] }),
    ['/args/1 args[1] must be text; found 8080; write it in quotes'],
  ],
  [
    service({ resources: { cpu: 'abc' } }),
    ['/resources/cpu cpu must be cores, such as 0.5, 2 or 250m; found "abc"'],
  ],
  [
    service({ resources: { cpu: {} } }),
    ['/resources/cpu cpu must be cores, such as 0.5, 2 or 250m; found a mapping'],
  ],
  [service({ resources: { cpu: 2000 } }), ['/resources/cpu cpu must be at most 1024; found 2000']],
  [
    service({ stop: { grace: 5 } }),
    ['/stop/grace grace must be a number with its unit, such as 500ms, 5s, 10m, 2h or 1d; found 5'],
  ],
  [
    service({ update: { strategy: 'blue_green' } }),
    [
      '/update/strategy strategy must be rolling, canary or blue-green; found "blue_green"; did you mean "blue-green"?',
    ],
  ],
  [
    service({ ports: { a: '80' } }),
    [
      '/ports/a a must be a port number, or { port, protocol, host, mode, clientAddress }; found "80"',
    ],
  ],
  [service({ ports: { a: 70_000 } }), ['/ports/a a must be at most 65535; found 70000']],
  [
    service({ ports: { a: { port: 80, protocol: 'tpc' } } }),
    ['/ports/a/protocol protocol must be tcp or udp; found "tpc"; did you mean "tcp"?'],
  ],
  [
    service({ ports: { a: { port: 80, hots: 8080 } } }),
    ['/ports/a/hots unknown key "hots"; did you mean "host"?'],
  ],
  [
    service({ env: { A: [] } }),
    ['/env/A A must be text, a number, true or false, or { secret: NAME }; found a list'],
  ],
  [
    service({ env: { A: { secrets: 'x' } } }),
    [
      '/env/A missing key "secret" in A',
      '/env/A/secrets unknown key "secrets"; did you mean "secret"?',
    ],
  ],
  [
    service({ security: { user: 0 } }),
    ['/security/user user must be at least 1 (0 is root, which is not permitted); found 0'],
  ],
  [
    service({ health: { liveness: { exec: [] } } }),
    ['/health/liveness/exec exec must be a list that is not empty'],
  ],
])

const tcp = { tcp: { port: 'http' } }
const ports = { http: 80, dns: { port: 53, protocol: 'udp' } }
const liveness = (extra: Members): Members => service({ ports, health: { liveness: extra } })

table('ports and probes', [
  [liveness(tcp), []],
  [
    liveness({ tcp: { port: 'htp' } }),
    ['/health/liveness/tcp/port there is no port "htp" in ports; did you mean "http"?'],
  ],
  [
    liveness({ http: { port: 'constructor' } }),
    ['/health/liveness/http/port there is no port "constructor" in ports'],
  ],
  [
    liveness({ http: { port: 'dns' } }),
    ['/health/liveness/http/port port "dns" is not a TCP port'],
  ],
  [
    liveness({ interval: '1s' }),
    ['/health/liveness a probe has exactly one of http, tcp and exec; found none'],
  ],
  [
    liveness({ ...tcp, exec: ['a'] }),
    ['/health/liveness a probe has exactly one of http, tcp and exec; found tcp and exec'],
  ],
  [
    liveness({ ...tcp, interval: '1s', timeout: '2s' }),
    ['/health/liveness/timeout timeout 2s is longer than the interval, 1s'],
  ],
  [
    liveness({ ...tcp, timeout: '6s' }),
    ['/health/liveness/timeout timeout 6s is longer than the interval, 5s'],
  ],
  [
    liveness({ ...tcp, interval: '1ms', timeout: 0 }),
    [
      '/health/liveness/interval interval must be at least 100ms',
      '/health/liveness/timeout timeout must be at least 10ms',
    ],
  ],
  [
    service({ ports: { a: 80, b: { port: 80 }, c: { port: 80, protocol: 'udp' } } }),
    ['/ports/b/port port 80/tcp is declared more than once'],
  ],
  [
    service({ ports: { a: { port: 1, host: 80 }, b: { port: 2, host: 80 } } }),
    ['/ports/b/host host port 80/tcp is declared more than once'],
  ],
  [
    service({
      ports,
      expose: [
        { port: 'http', listen: 80 },
        { port: 'dns', listen: 80 },
        { port: 'http', listen: 80, host: 'a.example' },
      ],
    }),
    ['/expose/1/port port "dns" is not a TCP port', '/expose/1 80 is exposed more than once'],
  ],
  [
    service({
      ports: {
        a: { port: 1, clientAddress: 'header' },
        b: { port: 2, protocol: 'udp', mode: 'http' },
        c: { port: 3, mode: 'http', clientAddress: 'header' },
      },
    }),
    [
      '/ports/a/clientAddress clientAddress header needs mode http; use proxy, or mode: http',
      '/ports/b mode and clientAddress are for TCP ports: UDP goes to instances directly',
    ],
  ],
  [
    service({
      ports: { http: 80, raw: 81 },
      expose: [
        { port: 'http', listen: 443, tls: { secret: 'cert' } },
        { port: 'http', listen: 443, path: '/a' },
        { port: 'raw', listen: 81, path: '/a' },
        { port: 'http', listen: 82, path: '/a' },
        { port: 'http', listen: 82, path: '/a' },
        { port: 'http', listen: 83, host: 'a.example' },
        { port: 'raw', listen: 83 },
        { port: 'none', listen: 84, path: '/a' },
      ],
    }),
    [
      '/expose/1 443 is exposed both with and without TLS',
      '/expose/2 host and path need mode http, which port "raw" is not in',
      '/expose/4 82 for /a is exposed more than once',
      '/expose/6 a port in mode tcp has 83 for itself',
      '/expose/7/port there is no port "none" in ports',
    ],
  ],
])

table('placement, order and update', [
  [
    service({ placement: { require: ['disk=ssd', 'a in (x', ''] } }),
    [
      '/placement/require/1 require[1] is not a label selector: expected "," or ")", found the end at column 8 of "a in (x"',
      '/placement/require/2 require[2] is empty and would match every node',
    ],
  ],
  [
    service({ placement: { prefer: [{ match: '=', weight: 1 }] } }),
    [
      '/placement/prefer/0/match match is not a label selector: expected a label key, found "=" at column 1 of "="',
    ],
  ],
  [
    service({
      placement: {
        separate: [
          { from: 'self', by: 'node' },
          { from: 'web', by: 'node' },
          { from: 'web.default', by: 'node' },
          { from: 'web.prod', by: 'node' },
          { from: 'a.b.c', by: 'node' },
        ],
      },
    }),
    [
      '/placement/separate/1/from write "self" for the service itself',
      '/placement/separate/2/from write "self" for the service itself',
      '/placement/separate/4/from "a.b.c" is not a service: NAME or NAME.ENVIRONMENT',
    ],
  ],
  [
    service({ placement: { separate: [{ from: 'self', by: '' }] } }),
    [
      '/placement/separate/0/by by must be letters, digits, hyphens, dots and underscores, at most 63; found ""',
    ],
  ],
  [
    service({ placement: { spread: ['rack', 'site', 'rack'] } }),
    ['/placement/spread/2 "rack" is in spread more than once'],
  ],
  [
    service({ environment: 'prod', dependsOn: ['api', 'web.prod', 'Api'] }),
    [
      '/dependsOn/1 a service cannot depend on itself',
      '/dependsOn/2 "Api" is not a service: NAME or NAME.ENVIRONMENT',
    ],
  ],
  [
    service({ name: 'self' }),
    ['/name "self" is reserved: it means the service itself in separate'],
  ],
  [
    service({ update: { maxSurge: 0, maxUnavailable: 0 } }),
    ['/update maxSurge and maxUnavailable are both 0: no instance could ever be replaced'],
  ],
  [service({ update: { maxSurge: 0 } }), []],
  [
    service({
      update: {
        strategy: 'canary',
        steps: [{ weight: 10, pause: '1m' }, { weight: 50, pause: 'manual' }, { weight: 100 }],
        analysis: { maxErrorRate: '0.5%', minRequests: 20 },
      },
    }),
    [],
  ],
  [service({ update: { strategy: 'blue-green', keepOld: '5m', promote: 'manual' } }), []],
  [
    service({ update: { steps: [{ weight: 100 }], promote: 'auto' } }),
    [
      '/update/steps steps has no meaning for strategy rolling; it belongs to strategy canary',
      '/update/promote promote has no meaning for strategy rolling; it belongs to strategy blue-green',
    ],
  ],
  [
    service({
      update: { strategy: 'canary', steps: [{ weight: 50 }, { weight: 50 }, { weight: 9 }] },
    }),
    [
      '/update/steps/1/weight weight 50 must be more than that of the step before, 50',
      '/update/steps/2/weight weight 9 must be more than that of the step before, 50',
    ],
  ],
  [
    service({
      update: { strategy: 'canary', steps: [{ weight: 0, pause: 'soon' }, { wieght: 5 }] },
    }),
    [
      '/update/steps/0/weight weight must be at least 1 (per cent of new traffic); found 0',
      '/update/steps/0/pause pause must be a number with its unit, such as 30s or 5m, or manual to wait for promote; found "soon"',
      '/update/steps/1 missing key "weight" in steps[1]',
      '/update/steps/1/wieght unknown key "wieght"; did you mean "weight"?',
    ],
  ],
  [
    service({ update: { strategy: 'canary', analysis: { maxErrorRate: '101%', minRequests: 0 } } }),
    ['/update/analysis/minRequests minRequests must be at least 1; found 0'],
  ],
  [
    service({ update: { strategy: 'canary', analysis: { maxErrorRate: '101%' } } }),
    ['/update/analysis/maxErrorRate maxErrorRate must be at most 100%'],
  ],
  [
    service({ exclusive: true, update: { strategy: 'blue-green' } }),
    [
      '/update/strategy strategy blue-green needs old and new instances side by side, which exclusive forbids: use rolling',
    ],
  ],
  [
    service({ update: { strategy: 'canary', maxSurge: 0 } }),
    [
      '/update/maxSurge a canary of one replica needs the new instance beside the old one: let maxSurge be at least 1',
    ],
  ],
  [
    service({ update: { strategy: 'canary', steps: [{ weight: 5, pause: '999d' }] } }),
    ['/update/steps/0/pause pause must be at most 365d'],
  ],
  [
    service({ update: { minHealthyTime: '2m', progressDeadline: '1m' } }),
    ['/update/minHealthyTime minHealthyTime 2m is longer than progressDeadline 1m'],
  ],
  [
    service({ restart: { delay: '2m', maxDelay: '1m' } }),
    ['/restart/delay delay 2m is longer than maxDelay 1m'],
  ],
  [service({ restart: { delay: 0 } }), ['/restart/delay delay must be at least 100ms']],
  [service({ stop: { drain: '999d' } }), ['/stop/drain drain must be at most 365d']],
  [service({ stop: { drain: `${'9'.repeat(400)}d` } }), ['/stop/drain drain must be at most 365d']],
])

table('image, environment, resources and scale', [
  [
    service({ image: 'Shop/Web' }),
    ['/image "Shop/Web" is not an image reference, such as registry.internal:5000/shop/web:1.4.2'],
  ],
  [
    service({ env: { BULKHEAD_DISCOVERY: 'x', BULKHEADED: 'y' } }),
    ['/env/BULKHEAD_DISCOVERY BULKHEAD_DISCOVERY is reserved; choose another name'],
  ],
  [
    JSON.parse(JSON.stringify(service({ env: {} })).replace('"env":{}', '"env":{"__proto__":"x"}')),
    ['/env/__proto__ __proto__ is reserved; choose another name'],
  ],
  [
    service({ env: { A: 2 ** 60, B: 0.1 } }),
    ['/env/A A is a number too large to be kept exactly; quote it'],
  ],
  [service({ resources: { cpu: '9m' } }), ['/resources/cpu cpu must be from 10m to 1024']],
  [service({ resources: { cpu: '10m', memory: '6Mi' } }), []],
  [
    service({ resources: { memory: '5Mi' } }),
    ['/resources/memory memory must be from 6Mi to 64Ti'],
  ],
  [
    service({ scale: { min: 3, max: 2, cpu: '0%' } }),
    ['/scale/min min 3 is more than max 2', '/scale/cpu cpu must be at least 1%'],
  ],
  [
    service({ scale: { max: 4, schedule: [{ cron: '0 8 * * 1-5', replicas: 5 }] } }),
    ['/scale/schedule/0/replicas replicas 5 is outside of min and max'],
  ],
])

t.test('cron expressions', async (t) => {
  const of = (cron: string) =>
    complaints(service({ scale: { schedule: [{ cron, replicas: 1 }] } })).length
  for (const cron of ['* * * * *', '*/5 0-8 1,15 jan-mar mon', '59 23 31 12 7', ' 0  0 * * SUN ']) {
    t.equal(of(cron), 0, cron)
  }
  const wrong = [
    '',
    '* * * *',
    '* * * * * *',
    '60 * * * *',
    '* 24 * * *',
    '* * 0 * *',
    '* * * 13 *',
  ]
  for (const cron of [...wrong, '*/0 * * * *', '5-1 * * * *', 'a * * * *', '1,,2 * * * *']) {
    t.equal(of(cron), 1, cron)
  }
})

t.test('paths', async (t) => {
  const secret = (path: string) => complaints(service({ secrets: [{ name: 'a', path }] }))
  for (const path of ['/run/secrets/tls.key', '/etc/a@b/c_d', '/process/x'])
    t.same(secret(path), [])
  const wrong = ['/', '/a/../b', '/..', '/a//b', '/a/', '/a/./b', '/proc', '/sys/x', '/dev/shm']
  for (const path of [...wrong, '/a:ro', '/a,b', '/a b', '/a\n', 'a', '', '/tmp']) {
    t.equal(secret(path).length, 1, path)
  }
  const twice = { secrets: [{ name: 'a', path: '/x' }], volumes: [{ name: 'b', path: '/x' }] }
  t.same(complaints(service(twice)), [
    '/volumes/0/path path "/x" already has a use in this service',
  ])
  const writable = { security: { writable: ['/tmp', '/x', '../y'] } }
  t.same(complaints(service(writable)), [
    '/security/writable/2 writable[2] must be an absolute path; found "../y"',
  ])
  t.equal(complaints(service({ security: { writable: ['/proc/self'] } })).length, 1)
})

table('zones', [
  [zones({ edge: { edge: true, reaches: ['data'] }, data: {} }), []],
  [
    zones({ edge: { reaches: ['dat'] }, data: {} }),
    ['/zones/edge/reaches/0 there is no zone "dat" in zones; did you mean "data"?'],
  ],
  [zones({}), ['/zones zones must declare at least one zone']],
  [zones({ data: null }), ['/zones/data data must be a mapping; found nothing']],
])

t.test('problems with a key say so, so that it can be pointed at', async (t) => {
  const result = validateDocument(service({ replica: 3, ports: { A: 1 }, args: 1 }))
  t.match(result, { ok: false })
  const marks = result.ok ? [] : result.problems.map(({ path, on }) => [path, on])
  t.same(marks, [
    ['/replica', 'key'],
    ['/args', undefined],
    ['/ports/A', 'key'],
  ])
})

t.test(
  'hostile documents are answered quickly, shortly and without control characters',
  async (t) => {
    const deep = Array.from({ length: 100 }).reduce<unknown>((inner) => [inner], 1)
    const cyclic: Record<string, unknown> = { ...minimal }
    cyclic['labels'] = cyclic
    const many = Object.fromEntries(Array.from({ length: 4900 }, (_, i) => [`key${i}`, []]))
    const hostile: readonly unknown[] = [
      service({ env: deep }),
      cyclic,
      service(many),
      service({ env: many }),
      service({ args: Array.from({ length: 10_000 }, () => 1) }),
      service({ ['k'.repeat(5000)]: 1 }),
      service({ ['k\u001b[31m\u202e'.repeat(40)]: 1 }),
      service({ name: '\u001b[31m\u0007\u202e\u2028x'.repeat(1000) }),
      service({ image: 'a'.repeat(1_000_000) }),
      service({ placement: { require: ['('.repeat(1000), '\u009b=\u0000'] } }),
      service({ replicas: Number.NaN, exclusive: undefined }),
      service({ env: { A: 10n } }),
      // oxlint-disable-next-line no-sparse-arrays
      service({ args: [, 'a'] }),
      service({ labels: new Map(), args: [Symbol('x')] }),
    ]
    for (const document of hostile) {
      const startedAt = performance.now()
      const result = validateDocument(document)
      t.ok(performance.now() - startedAt < 1000)
      t.equal(result.ok, false)
      const problems = result.ok ? [] : result.problems
      t.ok(problems.length <= 100)
      for (const { message } of problems) {
        t.ok(message.length < 300, message)
        // oxlint-disable-next-line no-control-regex
        t.notMatch(message, /[\u0000-\u001f\u007f-\u009f\u2028-\u202e]/)
      }
    }
  },
)

t.test('documents that are valid by construction are valid, and can be normalised', async () => {
  fc.assert(
    fc.property(validService, (source) => {
      const problems = complaints(source)
      if (problems.length > 0) throw new Error(problems.join('\n'))
      normaliseService(source)
    }),
    { numRuns: 200 },
  )
})

/** Puts `value` in the place of one part of the document, chosen by `choices`. */
function mutated(document: unknown, choices: readonly number[], value: unknown): unknown {
  const [choice, ...rest] = choices
  if (choice === undefined || typeof document !== 'object' || document === null) return value
  const keys = Object.keys(document)
  const key = keys[choice % (keys.length + 1)] ?? 'zzz'
  const copy = (Array.isArray(document) ? [...document] : { ...document }) as Record<
    string,
    unknown
  >
  copy[key] = mutated(copy[key], rest, value)
  return copy
}

t.test('never throws, and problems point into the document', async (t) => {
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
  })
  const garbled = fc
    .tuple(validService, fc.array(fc.nat(20), { minLength: 1, maxLength: 4 }), anything)
    .map(([source, choices, value]) => mutated(source, choices, value))
  fc.assert(
    fc.property(
      fc.oneof(
        anything,
        garbled,
        anything.map((value) => service({ env: value })),
      ),
      (value) => {
        const result = validateDocument(value)
        for (const { path, message } of result.ok ? [] : result.problems) {
          let node = value
          for (const segment of pointerSegments(path)) {
            if (!Object.hasOwn(node as object, segment)) return false
            node = (node as Members)[segment]
          }
          if (message === '') return false
        }
        return true
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})

const named = (name: string, extra: Members = {}): Members => service({ name, ...extra })

t.test('documents together', async (t) => {
  const fine = [named('a', { dependsOn: ['b'] }), named('b'), named('a', { environment: 'prod' })]
  t.same(validateDocuments(fine), { documents: fine, problems: [] })
  t.same(validateDocuments([]), { documents: [], problems: [] })
  t.same(validateDocuments([named('a'), {}, named('b'), named('a')]).problems, [
    { document: 1, path: '', message: 'missing key "apiVersion"; write apiVersion: bulkhead/v1' },
    {
      document: 1,
      path: '',
      message: 'missing key "kind"; write kind: Service, ExternalService or Zones',
    },
    {
      document: 3,
      path: '/name',
      message: 'service default/a is declared more than once',
      first: 0,
    },
  ])
  t.match(validateDocuments([zones({ a: {} }), named('a'), zones({ b: {} })]).problems, [
    { document: 2, path: '/kind', first: 0 },
  ])
})

t.test('services that depend on each other in a circle', async (t) => {
  const local = [named('b', { dependsOn: ['x', 'a'] }), named('a', { dependsOn: ['b'] })]
  t.same(validateDocuments(local).problems, [
    {
      document: 1,
      path: '/dependsOn/0',
      message: 'services depend on each other in a circle: a → b → a',
    },
  ])
  const across = [
    named('a', { dependsOn: ['b.prod'] }),
    named('b', { environment: 'prod', dependsOn: ['a.default'] }),
  ]
  t.match(validateDocuments(across).problems, [
    { message: /circle: a\.default → b\.prod → a\.default$/ },
  ])
  const two = [...local, named('c', { dependsOn: ['d'] }), named('d', { dependsOn: ['c'] })]
  t.equal(validateDocuments(two).problems.length, 2)
  const ring = Array.from({ length: 5000 }, (_, i) =>
    named(`s${i}`, { dependsOn: [`s${(i + 1) % 5000}`] }),
  )
  const [problem, ...more] = validateDocuments(ring).problems
  t.same(more, [])
  t.match(problem?.message, /^.{40,300}$/)
})

t.test('limits on the whole', async (t) => {
  const problems = validateDocuments(Array.from({ length: 5001 }, () => minimal)).problems
  t.match(problems, [{ document: 5000, message: /at most 5000 documents/ }])
  const wrong = service(Object.fromEntries(Array.from({ length: 99 }, (_, i) => [`k${i}`, 1])))
  t.equal(validateDocuments(Array.from({ length: 5000 }, () => wrong)).problems.length, 1000)
})

const egress = (to: string): Members => zones({ data: { egress: [{ to, ports: [443] }] } })

table('where egress goes is a network, or one address', [
  [egress('10.20.0.0/16'), []],
  [egress('10.20.3.4'), []],
  [egress('0.0.0.0/0'), []],
  [egress('::/0'), []],
  [egress('FD00:1::/32'), []],
  [egress('fd00::1/128'), []],
  [
    egress('10.20.3.4/33'),
    [
      '/zones/data/egress/0/to "10.20.3.4/33" is neither an address nor a network such as 10.20.0.0/16',
    ],
  ],
  [
    egress('10.20.3.4/16'),
    [
      '/zones/data/egress/0/to "10.20.3.4/16" names an address within a network: say 10.20.0.0/16 for all of it, or 10.20.3.4 for that address alone',
    ],
  ],
  [
    egress('192.168.1.200/25'),
    [
      '/zones/data/egress/0/to "192.168.1.200/25" names an address within a network: say 192.168.1.128/25 for all of it, or 192.168.1.200 for that address alone',
    ],
  ],
  [
    egress('fd00:1:2:fff3::5/60'),
    [
      '/zones/data/egress/0/to "fd00:1:2:fff3::5/60" names an address within a network: say fd00:1:2:fff0::/60 for all of it, or fd00:1:2:fff3::5 for that address alone',
    ],
  ],
])
