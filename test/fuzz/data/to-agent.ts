import { wireVersion } from '@bulkhead/shared'
import fc from 'fast-check'

import { assignment, template } from '../../../packages/agent/test/support/templates.ts'
import { anyNumber, anyText, nested } from './json.ts'
import { mutated, mutatedText } from './mutate.ts'

/** Mostly what a valid document can ask for. */
const duration = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 100, max: 5000 }) },
  { weight: 1, arbitrary: fc.integer({ min: -1, max: 99 }) },
)
const probe = fc.record({
  check: fc.constantFrom(
    { kind: 'tcp', port: 'http' },
    { kind: 'http', port: 'http', path: '/', headers: {} },
    { kind: 'exec', command: ['true'] },
  ),
  intervalMs: duration,
  timeoutMs: duration,
  failures: fc.integer({ min: 1, max: 3 }),
  successes: fc.integer({ min: 1, max: 3 }),
})
const instance = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('a-0-x', 'a-1-x', 'b-0-y') },
  { weight: 1, arbitrary: anyText.map((text) => text.slice(0, 200) || 'z') },
)
const delay = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: 100, max: 5000 }) },
  { weight: 1, arbitrary: fc.constant(86_400_000) },
  { weight: 1, arbitrary: fc.maxSafeInteger() },
)

/** Orders as a control plane could give them: well formed, and not always wise. */
const order = fc
  .record({
    instance,
    service: fc.constantFrom('default/a', 'default/b', 'noslash', '/', 'a/b/c'),
    slot: fc.nat({ max: 3 }),
    revision: fc.integer({ min: 1, max: 5 }),
    desired: fc.constantFrom('run' as const, 'run' as const, 'stop' as const),
    startAtMs: fc.oneof(fc.constant(0), anyNumber),
    attempt: fc.nat({ max: 50 }),
    hostPorts: fc.constantFrom({}, { http: 20_000 }, { http: -1 }, { nope: 1 }),
    ports: fc.constantFrom({}, { http: { port: 80, protocol: 'tcp', host: null } }),
    image: fc.constantFrom('bb:1', 'other:1', ''),
    readiness: fc.option(probe),
    liveness: fc.option(probe),
    delayMs: delay,
    drainMs: delay,
    graceMs: delay,
    signal: fc.constantFrom('SIGTERM', 'SIGKILL', 'NOPE'),
    zone: fc.oneof(fc.constant('application'), anyText),
  })
  .map(({ ports, image, readiness, liveness, delayMs, drainMs, graceMs, signal, zone, ...rest }) =>
    assignment({
      ...rest,
      template: template({
        zone,
        ports,
        image: { name: image, reference: image, digest: 'sha256:1', local: true },
        health: { startup: null, readiness: readiness as never, liveness: liveness as never },
        restart: { delayMs, maxDelayMs: delayMs, resetAfterMs: delayMs },
        stop: { drainMs, signal, graceMs },
      }),
    }),
  )

const revision = fc.oneof(fc.nat({ max: 6 }), fc.maxSafeInteger())
const assignments = fc.record({
  kind: fc.constant('assignments'),
  from: fc.oneof(fc.constant(null), revision),
  revision,
  upserts: fc.array(order, { maxLength: 3 }),
  removes: fc.array(instance, { maxLength: 2 }),
})
const welcome = fc.record({
  kind: fc.constant('welcome'),
  wireVersion: fc.constantFrom(wireVersion, wireVersion, wireVersion, 1),
  cluster: fc.constantFrom('c', 'other'),
  node: fc.constantFrom('n', 'other'),
  heartbeatMs: fc.oneof(fc.constant(1000), fc.integer({ min: -5, max: 5 }), fc.maxSafeInteger()),
  registries: fc.constant([]),
})
const endpoint = fc.record({
  instance,
  node: fc.constant('n'),
  zone: fc.constant('data'),
  port: fc.constant('http'),
  address: anyText.map((text) => text || 'x'),
  hostPort: fc.integer(),
  weight: fc.integer({ min: -1, max: 300 }),
})
const offeredPort = fc.record({
  port: fc.integer({ min: 0, max: 70_000 }),
  protocol: fc.constantFrom('tcp', 'udp'),
  mode: fc.constantFrom('tcp', 'http'),
  clientAddress: fc.constantFrom('none', 'header', 'proxy'),
})
const policy = fc.record({
  kind: fc.constant('policy'),
  policy: fc.record({
    revision,
    services: fc.constantFrom('10.231.0.0/16', 'x'),
    services6: fc.constantFrom(null, 'fd62:756c:6b00::/96', 'x'),
    zones: fc.dictionary(
      anyText,
      fc.record({
        edge: fc.boolean(),
        reaches: fc.array(anyText, { maxLength: 2 }),
        egress: fc.array(
          fc.record({
            to: fc.constantFrom('0.0.0.0/0', '::/0', 'x'),
            protocol: fc.constantFrom('tcp', 'udp'),
            ports: fc.array(fc.integer({ min: 0, max: 70_000 }), { maxLength: 2 }),
          }),
          { maxLength: 2 },
        ),
      }),
      { maxKeys: 2, noNullPrototype: true },
    ),
    peers: fc.array(
      fc.record({
        node: anyText,
        address: anyText,
        zones: fc.array(anyText, { maxLength: 2 }),
        environments: fc.array(anyText, { maxLength: 2 }),
      }),
      { maxLength: 2 },
    ),
  }),
})
const endpoints = fc.record({
  kind: fc.constant('endpoints'),
  full: fc.boolean(),
  revision,
  tables: fc.array(
    fc.record({
      service: fc.constantFrom('default/a', 'x', '__proto__'),
      zone: fc.constantFrom('data', '__proto__'),
      revision,
      addressIndex: fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 70_000 })),
      ports: fc.dictionary(anyText, offeredPort, { maxKeys: 2, noNullPrototype: true }),
      expose: fc.constant([]),
      external: fc.boolean(),
      endpoints: fc.array(endpoint, { maxLength: 2 }),
    }),
    { maxLength: 2 },
  ),
})
const request = fc.oneof(
  fc.record({
    kind: fc.constant('logs'),
    follow: fc.boolean(),
    sinceMs: fc.oneof(fc.constant(null), anyNumber),
    tail: fc.oneof(fc.constant(null), fc.integer()),
  }),
  fc.record({ kind: fc.constant('exec'), command: fc.array(anyText, { maxLength: 2 }) }),
  fc.constant({ kind: 'stats' }),
)
const stream = fc.integer({ min: 1, max: 50 })
const message = fc.oneof(
  { weight: 6, arbitrary: assignments },
  { weight: 1, arbitrary: welcome },
  { weight: 2, arbitrary: endpoints },
  { weight: 1, arbitrary: policy },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom('status-ack', 'heartbeat-ack'),
      sequence: fc.integer(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('stream-open'), stream, instance, request }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('stream-close'), stream }) },
)
const json = (value: unknown): string => JSON.stringify(value)

/** One thing that a control plane does to an agent's session. */
export type Move = { readonly say: string } | { readonly passMs: number } | { readonly cut: true }

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: message.map((value) => ({ say: json(value) })) },
  { weight: 1, arbitrary: mutated(message, 2).map((value) => ({ say: json(value) })) },
  {
    weight: 1,
    arbitrary: fc
      .oneof(mutatedText(message.map(json)), anyText, fc.constant(nested(10_000, 'list')))
      .map((say) => ({ say })),
  },
  { weight: 3, arbitrary: fc.constantFrom(1, 50, 1000, 20_000).map((passMs) => ({ passMs })) },
  { weight: 1, arbitrary: fc.constant({ cut: true as const }) },
)

const greeting = welcome.map((value): Move => ({ say: json(value) }))

export const moves = fc
  .tuple(fc.option(greeting), fc.array(move, { maxLength: 15 }))
  .map(([first, rest]) => (first === null ? rest : [first, ...rest]))
