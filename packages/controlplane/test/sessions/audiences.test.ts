import t from 'tap'

import { Audiences } from '../../src/sessions/audiences.ts'
import type { Session } from '../../src/sessions/session.ts'
import { aNode } from '../support/records.ts'

const aSession = (node: string): Session => ({ node }) as unknown as Session

t.test('sessions are together when their nodes get the same tables', async (t) => {
  const audiences = new Audiences()
  const now = (): string[][] =>
    [...audiences].map(({ sessions }) => [...sessions].map(({ node }) => node))
  const [a, b, c] = [aSession('a'), aSession('b'), aSession('c')]
  const { facts } = aNode('a')
  audiences.add(a, facts)
  audiences.add(b, { ...facts, address: '10.0.0.9' })
  audiences.add(c, { ...facts, zones: ['data'] })
  t.strictSame(now(), [['a', 'b'], ['c']])
  audiences.add(b, { ...facts, environments: [] })
  t.strictSame(now(), [['a'], ['c'], ['b']], 'one is in one place only')
  audiences.remove(c)
  audiences.remove(c)
  t.strictSame(now(), [['a'], ['b']])
  t.equal(audiences.size, 2)
})
