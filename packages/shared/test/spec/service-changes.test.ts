import assert from 'node:assert/strict'

import fc from 'fast-check'
import t from 'tap'

import {
  normaliseExternalService,
  normaliseService,
  normaliseZones,
  changesBetween,
  pointerSegments,
  serviceChanges,
  sourceSchemas,
  writtenService,
  type ExternalServiceSource,
  type ServiceSource,
  type SpecKind,
  type ZonesSource,
} from '../../src/index.ts'
import { validateDocument } from '../../src/validation.ts'
import { minimal, validService } from './sources.ts'

interface Schema {
  readonly anyOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly patternProperties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

/** Whether a document of the kind can have something at the place. */
function isPlace(schema: Schema | undefined, [key, ...rest]: readonly string[]): boolean {
  if (schema === undefined) return false
  if (key === undefined) return true
  if (schema.anyOf) return schema.anyOf.some((one) => isPlace(one, [key, ...rest]))
  if (schema.items) return /^\d+$/.test(key) && isPlace(schema.items, rest)
  const named = Object.entries(schema.patternProperties ?? {}).find(([pattern]) =>
    new RegExp(pattern).test(key),
  )
  return isPlace(schema.properties?.[key] ?? named?.[1], rest)
}

const notPlaces = (kind: SpecKind, changes: readonly { readonly path: string }[]): string[] =>
  changes
    .map(({ path }) => path)
    .filter((path) => !isPlace(sourceSchemas[kind] as Schema, pointerSegments(path)))

const version = (source: ServiceSource, digest = 'sha256:1') => ({
  spec: normaliseService(source),
  source,
  digest,
})

const extras = fc.record(
  {
    ports: fc.constantFrom<NonNullable<ServiceSource['ports']>[]>(
      { main: 8080 },
      { main: { port: 8080, host: 8080 }, admin: { port: 9000, protocol: 'udp' } },
      { main: { port: 8080, mode: 'http', clientAddress: 'proxy' } },
    ),
    scale: fc.constantFrom<NonNullable<ServiceSource['scale']>[]>(
      { min: 1, max: 3, cpu: '70%' },
      { min: 1, max: 3, schedule: [{ cron: '0 8 * * *', replicas: 2 }] },
    ),
    expose: fc.constantFrom<NonNullable<ServiceSource['expose']>[]>(
      [{ port: 'main', listen: 80 }],
      [{ port: 'main', listen: 443, host: 'a.example', path: '/x', tls: { secret: 'cert' } }],
    ),
    secrets: fc.constant<NonNullable<ServiceSource['secrets']>>([
      { name: 'key', path: '/run/secrets/key' },
    ]),
  },
  { requiredKeys: [] },
)
const whole = fc
  .tuple(validService, extras)
  .map(([service, more]): ServiceSource => ({ ...service, ...more }))
  .filter((source) => validateDocument(source).ok)

t.test('a written service is valid, and says what its spec says', async () => {
  fc.assert(
    fc.property(whole, (source) => {
      const spec = normaliseService(source)
      const document = writtenService(spec)
      const verdict = validateDocument(document)
      assert.ok(verdict.ok, JSON.stringify(verdict))
      assert.deepEqual(normaliseService(document), spec)
    }),
  )
})

t.test('every path of a difference is one of the schema', async (t) => {
  t.same(notPlaces('Service', [{ path: '/update/analysis/maxErrorPercent' }]).length, 1)
  fc.assert(
    fc.property(whole, whole, (one, other) => {
      const changes = serviceChanges(version(one), version(other, 'sha256:2'))
      assert.deepEqual(notPlaces('Service', changes), [])
      assert.deepEqual(notPlaces('Service', serviceChanges(null, version(one))), [])
    }),
  )
})

t.test('so are those of zones and external services', async (t) => {
  const zones = (zones: ZonesSource['zones']) =>
    normaliseZones({ apiVersion: 'bulkhead/v1', kind: 'Zones', zones })
  const egress = [{ to: '10.0.0.0/8', ports: [443] }]
  const some = changesBetween(zones({ a: { reaches: ['b'] }, b: {} }), zones({ a: { egress } }))
  t.same(some.map(({ path }) => path).toSorted(), [
    '/zones/a/egress/0',
    '/zones/a/reaches/0',
    '/zones/b',
  ])
  t.same(notPlaces('Zones', some), [])
  const external = (ports: ExternalServiceSource['ports'], ...addresses: string[]) =>
    normaliseExternalService({
      apiVersion: 'bulkhead/v1',
      kind: 'ExternalService',
      name: 'ledger',
      zone: 'data',
      addresses,
      ports,
    })
  const one = external({ sql: 5432 }, '10.0.0.1')
  const other = external({ sql: { port: 5433, protocol: 'udp' }, web: 80 }, '10.0.0.1', '::2')
  t.same(notPlaces('ExternalService', changesBetween(one, other)), [])
  t.same(notPlaces('ExternalService', changesBetween({}, one)), [])
})

t.test('nothing differs from itself, and what differs is said', async () => {
  fc.assert(
    fc.property(whole, whole, (one, other) => {
      const [before, after] = [version(one), version(other)]
      const isSame = JSON.stringify(before.spec) === JSON.stringify(after.spec)
      return (
        serviceChanges(before, version(structuredClone(one))).length === 0 &&
        (isSame || serviceChanges(before, after).length > 0)
      )
    }),
  )
})

t.test('keys and units are those of the documents', async (t) => {
  const before = version({
    ...minimal,
    resources: { cpu: 1.5, memory: '1.5Gi' },
    env: { LEVEL: 3 },
    dependsOn: ['b', 'b', 'a'],
    update: { strategy: 'canary', steps: [{ weight: 10, pause: '300s' }] },
    health: { liveness: { exec: ['/check'], interval: '90s' } },
  })
  const after = version({
    ...minimal,
    env: { LEVEL: 4 },
    dependsOn: ['b', 'c'],
    update: {
      strategy: 'canary',
      steps: [{ weight: 20 }],
      analysis: { maxErrorRate: '0.5%' },
      progressDeadline: '3600s',
    },
    stop: { drain: '1.5s' },
    expose: [],
  })
  t.same(serviceChanges(before, after), [
    { path: '/dependsOn/1', before: 'a', after: 'c' },
    { path: '/env/LEVEL', before: 3, after: 4 },
    { path: '/health/liveness', before: { exec: ['/check'], interval: '90s' } },
    { path: '/resources/cpu', before: 1.5, after: '250m' },
    { path: '/resources/memory', before: '1.5Gi', after: '128Mi' },
    { path: '/stop/drain', before: '5s', after: '1.5s' },
    { path: '/update/analysis/maxErrorRate', before: '5%', after: '0.5%' },
    { path: '/update/progressDeadline', before: '10m', after: '3600s' },
    { path: '/update/steps/0/pause', before: '5m', after: 'manual' },
    { path: '/update/steps/0/weight', before: 10, after: 20 },
  ])
})

t.test('the image is shown with the digest that it is pinned to', async (t) => {
  const image = minimal.image
  t.same(serviceChanges(version(minimal, 'sha256:1'), version(minimal, 'sha256:2')), [
    { path: '/image', before: `${image}@sha256:1`, after: `${image}@sha256:2` },
  ])
  const [one, two] = ['a:1', 'a:2'].map((name) =>
    version({ ...minimal, image: name }, `local:${name}`),
  )
  t.same(one && two && serviceChanges(one, two), [{ path: '/image', before: 'a:1', after: 'a:2' }])
  const pinned = { ...minimal, image: `${image}@sha256:${'2'.repeat(64)}` }
  t.same(serviceChanges(version(minimal), version(pinned, 'sha256:2')), [
    { path: '/image', before: `${image}@sha256:1`, after: pinned.image },
  ])
})
