import {
  healthStates,
  type InstanceReport,
  instanceStates,
  unobserved,
  wireVersion,
} from '@bulkhead/shared'
import fc from 'fast-check'

import { anyNumber, anyText, nested } from './json.ts'
import { mutated, mutatedText } from './mutate.ts'

/** Stands for an instance that is there when the message is sent: of the node itself, what follows it, or of another node. */
const instance = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom('{own:0}', '{own:1}', '{own:2}') },
  { weight: 2, arbitrary: fc.constantFrom('{next:0}', '{next:1}') },
  { weight: 3, arbitrary: fc.constantFrom('{other:0}', '{other:1}') },
  { weight: 1, arbitrary: anyText },
)
const time = fc.oneof(fc.constant(null), fc.integer({ min: 0, max: 2e12 }), anyNumber)

/** Errors quote keys. */
const key = fc.oneof(
  { weight: 3, arbitrary: anyText },
  { weight: 1, arbitrary: fc.constantFrom('é'.repeat(119), '日'.repeat(100), '🦀'.repeat(60)) },
)
const labelValue = fc.oneof({ weight: 12, arbitrary: anyText }, { weight: 1, arbitrary: anyNumber })

const report = fc.record({
  instance,
  service: fc.constantFrom('default/web', 'default/api', 'x/y', '{own:0}'),
  slot: fc.nat({ max: 5 }),
  revision: fc.integer({ min: 1, max: 5 }),
  origin: instance,
  predecessor: fc.oneof(fc.constant(null), instance),
  attempt: fc.nat({ max: 5 }),
  startAtMs: fc.oneof(fc.constant(0), anyNumber),
  hostPorts: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom({}, { http: 20_000 }) },
    {
      weight: 1,
      arbitrary: fc.dictionary(key, fc.oneof(fc.integer(), fc.constant(0.5)), {
        maxKeys: 2,
        noNullPrototype: true,
      }),
    },
  ),
  observed: fc.record({
    state: fc.constantFrom(...instanceStates),
    health: fc.constantFrom(...healthStates),
    reason: anyText,
    containerId: fc.oneof(fc.constant(null), anyText),
    startedAtMs: time,
    healthySinceMs: time,
    finishedAtMs: time,
    exitCode: fc.oneof(fc.constant(null), fc.integer()),
    neverStarted: fc.boolean(),
  }),
})
const reports = fc.array(report, { maxLength: 4 })
const sequence = fc.oneof(fc.nat({ max: 20 }), fc.maxSafeInteger())

const facts = fc.record({
  address: fc.oneof(fc.constant('127.0.0.1'), anyText),
  zones: fc.constantFrom(['application'], ['application', 'data'], ['nowhere'], ['__proto__'], []),
  environments: fc.constantFrom([], ['default'], ['x']),
  labels: fc.dictionary(key, labelValue, { maxKeys: 3, noNullPrototype: true }),
  domain: fc.record({
    provider: fc.oneof(fc.constant(null), anyText),
    site: fc.constant(null),
    rack: fc.constant(null),
    host: anyText,
  }),
  capacity: fc.oneof(
    { weight: 3, arbitrary: fc.constant({ cpuMillis: 4000, memoryBytes: 8e9 }) },
    {
      weight: 1,
      arbitrary: fc.record({ cpuMillis: fc.maxSafeInteger(), memoryBytes: fc.maxSafeInteger() }),
    },
  ),
  engine: fc.constant(null),
  agentVersion: anyText,
})

const hello = fc.record({
  kind: fc.constant('hello'),
  wireVersion: fc.constant(wireVersion),
  facts,
  bootId: fc.constantFrom('a', 'b'),
})
const inventory = fc.record({ kind: fc.constant('inventory'), reports, unmanaged: fc.nat() })
/** What is told when figures are asked for. */
export const figures = fc.oneof(
  fc.constantFrom(
    '{"cpuMillis":1,"memoryBytes":2,"pids":3}\n',
    'null',
    '{}',
    '[]',
    '"x"',
    '{"cpuMillis":"x"}',
    '{',
  ),
  anyText,
)
const others = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('status'), sequence, reports }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('heartbeat'),
      sequence,
      engineProblem: fc.constantFrom('', 'gone'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('resync'), reason: anyText }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('endpoints-applied'), revision: fc.integer() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('stream-data'),
      stream: fc.integer({ min: 1, max: 6 }),
      channel: fc.constantFrom('stdout', 'stderr'),
      data: fc.oneof(
        figures.map((text) => Buffer.from(text).toString('base64')),
        anyText,
      ),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('stream-end'),
      stream: fc.integer({ min: 1, max: 6 }),
      exitCode: fc.constantFrom(null, 0, 1),
      error: fc.constantFrom('', 'it failed'),
    }),
  },
)

const json = (value: unknown): string => JSON.stringify(value)
const any = fc.oneof(
  { weight: 1, arbitrary: hello },
  { weight: 1, arbitrary: inventory },
  { weight: 6, arbitrary: others },
)
const damaged = fc.oneof(
  { weight: 4, arbitrary: mutated(any, 2).map(json) },
  { weight: 1, arbitrary: mutatedText(any.map(json)) },
  { weight: 1, arbitrary: anyText },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      nested(10_000, 'list'),
      `{"kind":"status","sequence":1,"reports":${nested(10_000, 'mapping')}}`,
    ),
  },
)

/** What an agent says in the right order, and then anything; sometimes in no order, or again. */
export const conversation: fc.Arbitrary<readonly string[]> = fc
  .record({
    greeting: fc.tuple(hello.map(json), inventory.map(json)),
    rest: fc.array(
      fc.oneof({ weight: 4, arbitrary: others.map(json) }, { weight: 1, arbitrary: damaged }),
      { maxLength: 12 },
    ),
    order: fc.constantFrom('right', 'right', 'right', 'right', 'reversed', 'replayed'),
  })
  .map(({ greeting, rest, order }) => {
    const right = [...greeting, ...rest]
    if (order === 'reversed') return right.toReversed()
    return order === 'replayed' ? [...right, ...right] : right
  })

/** One message after another that do not fit, for the parser alone. */
export const nonsense: fc.Arbitrary<readonly string[]> = fc.array(damaged, {
  minLength: 1,
  maxLength: 6,
})

/** As an agent says it of something that runs and is well. */
export const runningReport = (instance: string): InstanceReport => ({
  instance,
  service: 'default/web',
  slot: 0,
  revision: 1,
  origin: instance,
  predecessor: null,
  attempt: 0,
  startAtMs: 0,
  hostPorts: {},
  observed: { ...unobserved, state: 'running', health: 'healthy' },
})
