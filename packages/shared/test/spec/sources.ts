import fc from 'fast-check'

import type { ServiceSource } from '../../src/index.ts'

/** The least that a service can be. */
export const minimal: ServiceSource = {
  apiVersion: 'bulkhead/v1',
  kind: 'Service',
  name: 'web',
  zone: 'application',
  image: 'registry.internal:5000/shop/web:1.4.2',
}

const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/).filter((text) => text !== 'self')
const duration = fc
  .tuple(fc.integer({ min: 1, max: 300 }), fc.constantFrom('s', 'm'))
  .map(([amount, unit]) => `${amount}${unit}`)
const path = fc.array(fc.stringMatching(/^[a-z0-9]{1,6}$/), { minLength: 1, maxLength: 3 })
const optional = { requiredKeys: [] as [] }
const check = fc.oneof(
  fc.record({ tcp: fc.constant({ port: 'main' }) }),
  fc.record({ http: fc.constant({ port: 'main', path: '/healthz' }) }),
  fc.record({ exec: fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 3 }) }),
)
const probe = fc
  .tuple(check, fc.record({ interval: duration, failures: fc.integer({ min: 1, max: 9 }) }))
  .map(([what, how]) => ({ ...what, ...how, timeout: '1s' }))
const withoutNul = (text: string): boolean => !text.includes('\0')

/** Documents that are valid by construction, in all their optional parts. */
export const validService = fc
  .record(
    {
      environment: name,
      labels: fc.dictionary(name, name, { maxKeys: 4 }),
      args: fc.array(fc.string().filter(withoutNul), { maxLength: 4 }),
      replicas: fc.integer({ min: 0, max: 100 }),
      env: fc.dictionary(
        fc.stringMatching(/^[A-Z][A-Z_]{0,8}$/),
        fc.oneof(
          fc.string().filter(withoutNul),
          fc.integer(),
          fc.boolean(),
          fc.record({ secret: name }),
        ),
        { maxKeys: 4 },
      ),
      resources: fc.record(
        {
          cpu: fc.constantFrom(0.25, 2, '250m'),
          memory: fc.constantFrom('64Mi', '1.5Gi', 134_217_728),
          pids: fc.integer({ min: 1, max: 1000 }),
        },
        optional,
      ),
      placement: fc.record(
        {
          require: fc.subarray(['disk=ssd', 'os in (debian, ubuntu)', '!old']),
          prefer: fc.constant([{ match: 'gen=5', weight: 10 }]),
          separate: fc.subarray([
            { from: 'self', by: 'node' },
            { from: 'other.prod', by: 'host' },
          ]),
          spread: fc.subarray(['provider', 'rack']),
        },
        optional,
      ),
      health: fc.record({ startup: probe, readiness: probe, liveness: probe }, optional),
      restart: fc.record({ resetAfter: duration, maxDelay: duration }, optional),
      update: fc.record(
        {
          strategy: fc.constantFrom('rolling' as const, 'canary' as const, 'blue-green' as const),
          maxSurge: fc.integer({ min: 0, max: 3 }),
          minHealthyTime: fc.constantFrom('0s', '5s'),
          progressDeadline: fc.constantFrom('1m', '10m'),
          onFailure: fc.constantFrom('rollback' as const, 'pause' as const),
          steps: fc.constantFrom(
            [{ weight: 10, pause: '1m' }, { weight: 50, pause: 'manual' }, { weight: 100 }],
            [{ weight: 25 }],
          ),
          analysis: fc.constantFrom({}, { maxErrorRate: '0.5%' }, { minRequests: 10 }),
          keepOld: fc.constantFrom('0s', '1m'),
          promote: fc.constantFrom('auto' as const, 'manual' as const),
        },
        optional,
      ),
      stop: fc.record({ drain: duration, grace: duration }, optional),
      exclusive: fc.boolean(),
      dependsOn: fc.subarray(['api', 'db.prod']),
      volumes: fc
        .uniqueArray(path, { maxLength: 3, selector: (parts) => parts.join('/') })
        .map((paths) =>
          paths.map((parts, index) => ({ name: `v${index}`, path: `/data/${parts.join('/')}` })),
        ),
      security: fc.record(
        { user: fc.integer({ min: 1, max: 70_000 }), writableRoot: fc.boolean() },
        optional,
      ),
    },
    optional,
  )
  .map((rest) => possible({ ...minimal, ports: { main: 8080 }, ...rest } as ServiceSource))

/** Old and new side by side is not for everybody, and each strategy has keys of its own. */
function possible(source: ServiceSource): ServiceSource {
  const { steps, analysis, keepOld, promote, ...update } = source.update ?? {}
  const alone = source.exclusive === true || update.maxSurge === 0
  const strategy = alone ? 'rolling' : (update.strategy ?? 'rolling')
  const own = {
    rolling: {},
    canary: { steps, analysis },
    'blue-green': { analysis, keepOld, promote },
  }[strategy]
  const given = Object.entries(own).filter(([, value]) => value !== undefined)
  if (source.update === undefined) return source
  return { ...source, update: { ...update, strategy, ...Object.fromEntries(given) } }
}

/** The same value with the keys of every mapping in another order. */
export function reordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(reordered)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => [key, reordered(member)] as const)
  return Object.fromEntries(entries.toReversed())
}
