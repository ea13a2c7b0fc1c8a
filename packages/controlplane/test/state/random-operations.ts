import { instanceStates, mayFollow, serviceKey, type InstanceState } from '@bulkhead/shared'
import fc from 'fast-check'

import type { Transaction } from '../../src/state/view.ts'
import { aNode, anInstance, aRevision, aRollout, aService, aToken } from './fixtures.ts'
import type { Records, Universe } from './naive-view.ts'

export const universe: Universe = {
  services: ['prod/a', 'prod/b', 'test/a', 'test/c', 'none/x'],
  nodes: ['n1', 'n2', 'n3', 'nobody'],
  environments: ['prod', 'test', 'none'],
  zones: ['application', 'data', 'nowhere'],
  revisions: [1, 2, 3],
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
export type MutableRecords = Writable<{
  [K in keyof Records]: Records[K] extends ReadonlyMap<string, infer V>
    ? Map<string, V>
    : Records[K]
}>

/** What a transaction does, to the real thing and to the model alike. */
export type Operation = (tx: Transaction, model: MutableRecords) => void

const service = fc.constantFrom(...universe.services.slice(0, 4))
const node = fc.constantFrom('n1', 'n2', 'n3')
const revision = fc.integer({ min: 1, max: 3 })
const number = fc.nat({ max: 1000 })
const names = fc.constantFrom('a', 'b', 'c', 'a.test', 'a.prod', 'x.none')
const protocol = fc.constantFrom('tcp' as const, 'udp' as const)

const putService = fc
  .record({ key: service, revision, deleting: fc.boolean() })
  .map(({ key, ...changes }): Operation => (tx, model) => {
    const record = aService(key, changes)
    tx.putService(record)
    model.services.set(key, record)
  })

const deleteService = service.map((key): Operation => (tx, model) => {
  tx.deleteService(key)
  model.services.delete(key)
})

const putRevision = fc
  .record({
    key: service,
    revision,
    cpuMillis: number,
    separate: fc.array(
      fc.tuple(names, fc.constantFrom('node', 'site')).map(([from, by]) => ({ from, by })),
      { maxLength: 3 },
    ),
    dependsOn: fc.array(names, { maxLength: 2 }),
    protocol,
  })
  .map(({ key, revision, protocol, ...options }): Operation => (tx, model) => {
    const id = `${key}@${revision}`
    // A kept revision is immutable.
    if (model.revisions.has(id)) return
    const ports = {
      http: { port: 80, protocol, host: null, mode: 'tcp' as const, clientAddress: 'none' as const },
    }
    const record = aRevision(key, revision, { ...options, ports })
    tx.putRevision(record)
    model.revisions.set(id, record)
  })

const deleteRevision = fc
  .tuple(service, revision)
  .map(([key, number]): Operation => (tx, model) => {
    tx.deleteRevision(key, number)
    model.revisions.delete(`${key}@${number}`)
  })

/** The same object again and again, as records that are spread from each other have it. */
const portObjects = [{}, { http: 8000 }, { http: 8001 }, { http: 8002 }]

const putInstance = fc
  .record({
    serial: fc.nat({ max: 9 }),
    node: fc.option(node),
    state: fc.constantFrom<InstanceState>(...instanceStates.slice(1, 10)),
    desired: fc.constantFrom('run' as const, 'stop' as const),
    lostAtMs: fc.option(number),
    port: fc.option(fc.integer({ min: 8000, max: 8002 })),
    attempt: fc.nat({ max: 1 }),
  })
  .map(({ serial, port, state, ...wanted }): Operation => (tx, model) => {
    const id = `i-${serial}`
    const known = model.instances.get(id)
    const before = known?.observed.state ?? 'assigned'
    const record = anInstance(id, {
      // What never changes follows from the id.
      service: universe.services[serial % 4] ?? serviceKey('prod', 'a'),
      slot: serial % 3,
      revision: 1 + (serial % 2),
      createdAtMs: serial % 4,
      attempt: 0,
      desired: wanted.desired,
      node: known?.node ?? wanted.node,
      lostAtMs: known?.lostAtMs ?? wanted.lostAtMs,
      state: mayFollow(before, state) ? state : before,
      hostPorts: portObjects[(port ?? 7999) - 7999] ?? {},
    })
    tx.putInstance(record)
    model.instances.set(id, record)
  })

const deleteInstance = fc.nat({ max: 9 }).map((serial): Operation => (tx, model) => {
  tx.deleteInstance(`i-${serial}`)
  model.instances.delete(`i-${serial}`)
})

const putNode = fc
  .record({
    name: node,
    zones: fc.array(fc.constantFrom('application', 'data'), { maxLength: 3 }),
    environments: fc.array(fc.constantFrom('prod', 'test'), { maxLength: 2 }),
    confirmedDead: fc.boolean(),
  })
  .map(({ name, confirmedDead, ...options }): Operation => (tx, model) => {
    const record = aNode(name, options, { confirmedDead })
    tx.putNode(record)
    model.nodes.set(name, record)
  })

const deleteNode = node.map((name): Operation => (tx, model) => {
  tx.deleteNode(name)
  model.nodes.delete(name)
})

const putRollout = fc
  .record({
    key: service,
    to: fc.integer({ min: 1, max: 12 }),
    phase: fc.constantFrom('progressing' as const, 'paused' as const, 'completed' as const),
  })
  .map(({ key, to, phase }): Operation => (tx, model) => {
    const record = aRollout(key, to, { phase })
    tx.putRollout(record)
    model.rollouts.set(record.id, record)
  })

const deleteRollout = fc
  .tuple(service, fc.integer({ min: 1, max: 12 }))
  .map(([key, to]): Operation => (tx, model) => {
    tx.deleteRollout(`${key}@${to}`)
    model.rollouts.delete(`${key}@${to}`)
  })

const tokens = fc
  .tuple(fc.constantFrom('t1', 't2'), fc.boolean())
  .map(([id, present]): Operation => (tx, model) => {
    if (present) {
      const record = aToken(id)
      tx.putToken(record)
      model.tokens.set(id, record)
    } else {
      tx.deleteToken(id)
      model.tokens.delete(id)
    }
  })

const putZones = fc.boolean().map((edge): Operation => (tx, model) => {
  const zones = { zones: { application: { edge, reaches: [], egress: [] } } }
  tx.putZones(zones)
  model.zones = zones
})

export const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 8, arbitrary: putInstance },
  { weight: 2, arbitrary: deleteInstance },
  { weight: 4, arbitrary: putRevision },
  { weight: 2, arbitrary: deleteRevision },
  { weight: 4, arbitrary: putService },
  { weight: 1, arbitrary: deleteService },
  { weight: 4, arbitrary: putNode },
  { weight: 1, arbitrary: deleteNode },
  { weight: 2, arbitrary: putRollout },
  { weight: 1, arbitrary: deleteRollout },
  { weight: 1, arbitrary: tokens },
  { weight: 1, arbitrary: putZones },
)
