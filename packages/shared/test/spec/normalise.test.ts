import fc from 'fast-check'
import t from 'tap'

import {
  canonicalHash,
  loosened,
  normaliseService,
  normaliseZones,
  notEnforcedYet,
  type ServiceSource,
  templateHash,
  templateOf,
} from '../../src/index.ts'
import { minimal, reordered, validService } from './sources.ts'

const of = (extra: Partial<ServiceSource>) => normaliseService({ ...minimal, ...extra })

t.test('defaults are the safe ones', async (t) => {
  t.same(normaliseService(minimal), {
    name: 'web',
    environment: 'default',
    labels: {},
    zone: 'application',
    image: 'registry.internal:5000/shop/web:1.4.2',
    command: [],
    args: [],
    replicas: 1,
    env: {},
    ports: {},
    resources: { cpuMillis: 250, memoryBytes: 134_217_728, pids: 256 },
    placement: { require: [], prefer: [], separate: [], spread: [] },
    health: { startup: null, readiness: null, liveness: null },
    restart: { delayMs: 1000, maxDelayMs: 60_000, resetAfterMs: 600_000 },
    update: {
      strategy: 'rolling',
      maxSurge: 1,
      maxUnavailable: 0,
      minHealthyTimeMs: 5000,
      progressDeadlineMs: 600_000,
      onFailure: 'rollback',
    },
    stop: { drainMs: 5000, signal: 'SIGTERM', graceMs: 10_000 },
    exclusive: false,
    dependsOn: [],
    expose: [],
    secrets: [],
    volumes: [],
    security: {
      user: 1000,
      group: 1000,
      writable: ['/run', '/tmp'],
      capabilities: [],
      writableRoot: false,
    },
    scale: null,
  })
})

t.test('probes', async (t) => {
  const { health } = normaliseService({
    ...minimal,
    ports: { http: 80 },
    health: {
      startup: { tcp: { port: 'http' } },
      readiness: { http: { port: 'http' }, interval: '1s' },
      liveness: { exec: ['/bin/check'], failures: 7, timeout: '4s' },
    },
  })
  t.same(health, {
    startup: {
      check: { kind: 'tcp', port: 'http' },
      intervalMs: 1000,
      timeoutMs: 1000,
      failures: 60,
      successes: 1,
    },
    readiness: {
      check: { kind: 'http', port: 'http', path: '/', headers: {} },
      intervalMs: 1000,
      timeoutMs: 1000,
      failures: 3,
      successes: 1,
    },
    liveness: {
      check: { kind: 'exec', command: ['/bin/check'] },
      intervalMs: 5000,
      timeoutMs: 4000,
      failures: 7,
      successes: 1,
    },
  })
})

t.test('defaults give way to what is written', async (t) => {
  t.match(of({ update: { maxSurge: 0 } }).update, { maxSurge: 0, maxUnavailable: 1 })
  t.match(of({ update: { progressDeadline: '4s' } }).update, { minHealthyTimeMs: 2000 })
  t.match(of({ update: { minHealthyTime: '20m' } }).update, { progressDeadlineMs: 2_400_000 })
  t.match(of({ restart: { maxDelay: '500ms' } }).restart, { delayMs: 500, maxDelayMs: 500 })
  t.match(of({ restart: { delay: '5m' } }).restart, { delayMs: 300_000, maxDelayMs: 300_000 })
  t.same(of({ security: { writable: ['/data', '/tmp'] } }).security.writable, [
    '/data',
    '/run',
    '/tmp',
  ])
  t.match(of({ security: { user: 2000 } }).security, { user: 2000, group: 2000 })
  t.same(of({ ports: { a: 80, b: { port: 53, protocol: 'udp', host: 5353 } } }).ports, {
    a: { port: 80, protocol: 'tcp', host: null, mode: 'tcp', clientAddress: 'none' },
    b: { port: 53, protocol: 'udp', host: 5353, mode: 'tcp', clientAddress: 'none' },
  })
  t.same(of({ env: { N: 8080, B: true, S: { secret: 'x' } } }).env, {
    N: '8080',
    B: 'true',
    S: { secret: 'x' },
  })
  t.same(of({ scale: { max: 4, cpu: '70%' }, replicas: 2 }).scale, {
    min: 2,
    max: 4,
    cpuPercent: 70,
    schedule: [],
  })
})

t.test('is deterministic, changes nothing, and keys may come in any order', async () => {
  fc.assert(
    fc.property(validService, (source) => {
      const before = JSON.stringify(source)
      const hash = canonicalHash(normaliseService(source))
      const other = canonicalHash(normaliseService(reordered(source) as ServiceSource))
      return hash === other && JSON.stringify(source) === before
    }),
  )
})

t.test('invariants that everything later relies on', async () => {
  fc.assert(
    fc.property(validService, (source) => {
      const { health, update, restart, security, resources } = normaliseService(source)
      const probes = Object.values(health).filter((probe) => probe !== null)
      return (
        probes.every(({ timeoutMs, intervalMs }) => timeoutMs > 0 && timeoutMs <= intervalMs) &&
        update.maxSurge + update.maxUnavailable > 0 &&
        update.minHealthyTimeMs <= update.progressDeadlineMs &&
        restart.delayMs > 0 &&
        restart.delayMs <= restart.maxDelayMs &&
        security.writable.includes('/tmp') &&
        Object.values({ ...update, ...restart, ...resources })
          .filter((value) => typeof value === 'number')
          .every(Number.isSafeInteger)
      )
    }),
  )
})

t.test('how ports are offered', async (t) => {
  const { ports, expose } = normaliseService({
    ...minimal,
    ports: {
      http: 80,
      probed: 81,
      plain: 82,
      dns: { port: 53, protocol: 'udp' },
      raw: { port: 83, mode: 'http', clientAddress: 'proxy' },
    },
    health: { liveness: { http: { port: 'probed' } } },
    expose: [
      { port: 'http', listen: 80 },
      { port: 'http', listen: 443, host: 'a.example', path: '/x', tls: { secret: 'cert' } },
    ],
  })
  const offers = Object.entries(ports).map(([name, { mode, clientAddress }]) => [
    name,
    mode,
    clientAddress,
  ])
  t.same(offers, [
    ['http', 'http', 'header'],
    ['probed', 'http', 'header'],
    ['plain', 'tcp', 'none'],
    ['dns', 'tcp', 'none'],
    ['raw', 'http', 'proxy'],
  ])
  t.same(expose, [
    { port: 'http', listen: 80, host: null, path: '/', tlsSecret: null },
    { port: 'http', listen: 443, host: 'a.example', path: '/x', tlsSecret: 'cert' },
  ])
})

t.test('how a port is offered makes no other container', async (t) => {
  const image = { name: 'a', reference: 'a', digest: 'sha256:a', local: false }
  const hashOf = (port: object) =>
    templateHash(
      templateOf(
        normaliseService({ ...minimal, ports: { http: { port: 80, ...port } } }),
        image,
        0,
      ),
    )
  t.equal(hashOf({ mode: 'tcp' }), hashOf({}))
  t.equal(hashOf({ clientAddress: 'proxy' }), hashOf({}))
  t.not(hashOf({ host: 80 }), hashOf({}))
})

t.test('zones', async (t) => {
  const egress = [{ to: '10.2.0.0/16', ports: [443, 443] }, { to: 'FD00:0:0::1', protocol: 'udp' as const }]
  const zones = { edge: { edge: true, reaches: ['data', 'data'], egress }, data: {} }
  t.same(normaliseZones({ apiVersion: 'bulkhead/v1', kind: 'Zones', zones }), {
    zones: {
      edge: {
        edge: true,
        reaches: ['data'],
        egress: [
          { to: '10.2.0.0/16', protocol: 'tcp', ports: [443] },
          { to: 'fd00::1/128', protocol: 'udp', ports: [] },
        ],
      },
      data: { edge: false, reaches: [], egress: [] },
    },
  })
})

t.test('each strategy has what is its own, filled in', async (t) => {
  const of = (update: NonNullable<ServiceSource['update']>) =>
    normaliseService({ ...minimal, update }).update
  t.notOk('steps' in of({}), 'a rolling update is stored as it was before there were others')
  t.notOk('analysis' in of({}))
  t.match(of({ strategy: 'canary' }), {
    steps: [
      { weightPercent: 10, pauseMs: 300_000 },
      { weightPercent: 50, pauseMs: 300_000 },
      { weightPercent: 100, pauseMs: 0 },
    ],
    analysis: { maxErrorPercent: 5, minRequests: 50 },
  })
  const steps = [{ weight: 10, pause: '1m' }, { weight: 20 }, { weight: 30, pause: 'manual' }]
  t.same(
    of({ strategy: 'canary', steps, analysis: { maxErrorRate: '0.5%' } }),
    {
      ...of({ strategy: 'canary' }),
      steps: [
        { weightPercent: 10, pauseMs: 60_000 },
        { weightPercent: 20, pauseMs: null },
        { weightPercent: 30, pauseMs: null },
        { weightPercent: 100, pauseMs: 0 },
      ],
      analysis: { maxErrorPercent: 0.5, minRequests: 50 },
    },
    'without a pause a step waits for somebody, and the last one has everything',
  )
  t.match(of({ strategy: 'blue-green' }), { keepOldMs: 300_000, promote: 'auto' })
  t.match(of({ strategy: 'blue-green', keepOld: 0, promote: 'manual' }), {
    keepOldMs: 0,
    promote: 'manual',
  })
})

t.test('notices', async (t) => {
  const hardened = normaliseService(minimal)
  t.same(loosened(hardened), [])
  t.same(notEnforcedYet(hardened), [])
  const loose = normaliseService({
    ...minimal,
    ports: { http: 80 },
    exclusive: true,
    env: { A: { secret: 'a' } },
    expose: [{ port: 'http', listen: 80 }],
    volumes: [{ name: 'a', path: '/a' }],
    scale: { max: 3 },
    security: { writableRoot: true, capabilities: ['NET_BIND_SERVICE'] },
  })
  t.same(loosened(loose), ['security.capabilities: NET_BIND_SERVICE', 'security.writableRoot'])
  const notices = notEnforcedYet(loose)
  t.equal(notices.length, 3)
  for (const word of ['secrets', 'volumes', 'scale']) {
    t.ok(
      notices.some((text) => text.includes(word) && text.endsWith('.')),
      word,
    )
  }
  const withFile = normaliseService({ ...minimal, secrets: [{ name: 'a', path: '/a' }] })
  t.match(notEnforcedYet(withFile), [/secrets/])
})
