import type { Port } from '@bulkhead/shared'
import fc from 'fast-check'
import t from 'tap'

import { allocatePorts } from '../../src/placement/core/ports.ts'

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
