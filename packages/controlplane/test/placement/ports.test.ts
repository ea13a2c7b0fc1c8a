import type { Port } from '@bulkhead/shared'
import fc from 'fast-check'
import t from 'tap'

import { Books } from '../../src/placement/core/books.ts'
import { allocatePorts } from '../../src/placement/core/ports.ts'
import { occupies } from '../../src/state/indexes/usage-index.ts'
import { MemoryState } from '../support/memory-state.ts'
import { aNode, anInstance, apply } from '../support/records.ts'

const range = { first: 20_000, last: 20_009 }
const dynamic: Port = { port: 80, protocol: 'tcp', host: null }
const taken = (...ports: readonly number[]): Set<string> =>
  new Set(ports.map((port) => `tcp/${port}`))

t.test('a fixed port is given when it is free', async (t) => {
  const ports = { http: { ...dynamic, host: 8080 } }
  t.same(allocatePorts(ports, taken(), range, 'a'), { http: 8080 })
  t.equal(allocatePorts(ports, taken(8080), range, 'a'), null)
  t.same(allocatePorts(ports, new Set(['udp/8080']), range, 'a'), { http: 8080 })
  const twice = { a: { ...dynamic, host: 8080 }, b: { ...dynamic, host: 8080 } }
  t.equal(allocatePorts(twice, taken(), range, 'a'), null)
})

t.test('a dynamic port is free, in the range, and depends on the instance', async (t) => {
  fc.assert(
    fc.property(
      fc.string(),
      fc.uniqueArray(fc.integer({ min: 20_000, max: 20_009 })),
      (id, used) => {
        const given = allocatePorts({ a: dynamic, b: dynamic }, taken(...used), range, id)
        if (used.length > 8) return given === null
        const ports = Object.values(given ?? {})
        return (
          new Set(ports).size === 2 &&
          ports.every((port) => port >= 20_000 && port <= 20_009 && !used.includes(port))
        )
      },
    ),
  )
  const firsts = new Set(
    'abcdefghijkl'
      .split('')
      .map((id) => allocatePorts({ http: dynamic }, taken(), range, id)?.['http']),
  )
  t.ok(firsts.size > 4, 'successive instances are spread over the range')
  t.same(
    allocatePorts({ a: dynamic, b: dynamic }, taken(), range, 'x'),
    allocatePorts({ b: dynamic, a: dynamic }, taken(), range, 'x'),
    'in whatever order the ports are written',
  )
})

t.test('a fixed port within the range is kept from the dynamic ones', async (t) => {
  const narrow = { first: 20_000, last: 20_001 }
  const ports = { a: dynamic, b: { ...dynamic, host: 20_000 } }
  t.same(allocatePorts(ports, taken(), narrow, 'x'), { a: 20_001, b: 20_000 })
})

t.test('a port is not handed out while whoever had it may live', async (t) => {
  const cases = [
    ['it runs', {}, {}],
    ['it is to stop', { desired: 'stop' }, {}],
    ['its node is silent', {}, { liveness: 'lost' }],
    ['it was given up with its node', { desired: 'stop', lostAtMs: 5 }, { liveness: 'lost' }],
    ['it was given up, and its node is back', { desired: 'stop', lostAtMs: 5 }, {}],
  ] as const
  for (const [what, instance, node] of cases) {
    const state = new MemoryState()
    state.putNode(aNode('n1', node))
    apply(state, { name: 'web', ports: { http: 80 } })
    const hostPorts = { http: 20_003 }
    state.putInstance(anInstance({ id: 'web-0-a', service: 'default/web', node: 'n1', hostPorts, ...instance }))
    const ports = new Books(state, 'default/other').portsOn('n1')
    const narrow = { first: 20_003, last: 20_003 }
    t.equal(allocatePorts({ http: dynamic }, ports, narrow, 'b'), null, what)
  }
  const givenUp = anInstance({ id: 'web-0-a', service: 'default/web', lostAtMs: 5 })
  t.ok(occupies(givenUp, false))
  t.notOk(occupies(givenUp, true), 'only an operator who vouches for the death of its node ends it')
})
