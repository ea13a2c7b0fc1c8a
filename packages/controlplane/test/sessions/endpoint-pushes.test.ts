import type { EndpointTable } from '@bulkhead/shared'
import t from 'tap'

import type { Tables } from '../../src/discovery/tables.ts'
import { Audiences } from '../../src/sessions/audiences.ts'
import { EndpointPushes } from '../../src/sessions/endpoint-pushes.ts'
import type { Session } from '../../src/sessions/session.ts'
import { aNode } from '../state/fixtures.ts'
import { admin, openForTest } from '../state/open-for-test.ts'
import { HandClock } from '../support/hand-clock.ts'

const table = (revision: number): EndpointTable => ({
  service: 'prod/web',
  zone: 'application',
  revision,
  addressIndex: 1,
  ports: {},
  expose: [],
  external: false,
  endpoints: [],
})

async function pushing(): Promise<{
  readonly clock: HandClock
  readonly pushes: EndpointPushes
  readonly sent: Record<string, string[]>
  readonly put: (changed: EndpointTable) => void
}> {
  const { state } = await openForTest()
  await state.write(admin, (tx) => {
    for (const name of ['a1', 'a2']) tx.putNode(aNode(name))
    tx.putNode(aNode('d1', { zones: ['data'] }))
    tx.putNode(aNode('p1', { zones: ['presentation'] }))
  })
  const clock = new HandClock()
  const sent: Record<string, string[]> = { a1: [], a2: [], d1: [], p1: [] }
  const audiences = new Audiences()
  for (const [node, texts] of Object.entries(sent)) {
    const session = { node, sendTables: (_revision: number, text: string) => texts.push(text) }
    const facts = state.view.nodes.get(node)?.facts
    if (facts) audiences.add(session as unknown as Session, facts)
  }
  let current: EndpointTable | undefined
  const tables = { get: () => current, revision: 1 } as unknown as Tables
  const pushes = new EndpointPushes({
    view: state.view,
    tables,
    clock,
    audiences,
    onSent: () => {},
  })
  return {
    clock,
    pushes,
    sent,
    put: (changed) => {
      current = changed
      pushes.take(new Map([['prod/web', null]]))
    },
  }
}

t.test(
  'the first change goes out at once, those after it together, to whom it concerns',
  async (t) => {
    const { clock, sent, put } = await pushing()
    put(table(1))
    clock.advance(0)
    t.equal(sent['a1']?.length, 1)
    t.equal(sent['a2']?.[0], sent['a1']?.[0])
    t.match(JSON.parse(sent['a1']?.[0] ?? ''), {
      kind: 'endpoints',
      full: false,
      tables: [table(1)],
    })
    t.strictSame(sent['d1'], [], 'data does not reach application')
    for (const revision of [2, 3, 4]) put(table(revision))
    clock.advance(1)
    t.equal(sent['a1']?.length, 1)
    clock.advance(1000)
    t.equal(sent['a1']?.length, 2)
    t.match(JSON.parse(sent['a1']?.[1] ?? ''), { tables: [table(4)] })
  },
)

t.test('a table that is as it was sent is not sent again', async (t) => {
  const { clock, sent, put } = await pushing()
  const same = table(1)
  put(same)
  clock.advance(0)
  put(same)
  clock.advance(1000)
  t.equal(sent['a1']?.length, 1)
})

t.test(
  'a service that goes to another zone leaves the nodes that it no longer concerns',
  async (t) => {
    const { clock, sent, put } = await pushing()
    const told = (node: string) =>
      (sent[node] ?? []).flatMap((text) => (JSON.parse(text) as { tables: EndpointTable[] }).tables)
    put(table(1))
    clock.advance(0)
    const endpoint = { instance: 'web-0', node: 'p1', zone: 'presentation', port: 'http' }
    const place = { address: '10.0.0.3', hostPort: 20_000, weight: 1 }
    const moved = { ...table(2), zone: 'presentation', endpoints: [{ ...endpoint, ...place }] }
    put(moved)
    clock.advance(1000)
    t.strictSame(told('a1'), [table(1), { ...moved, endpoints: [] }], 'where it runs is not told')
    t.strictSame(told('p1'), [table(1), moved])
    put({ ...moved, revision: 3 })
    clock.advance(1000)
    t.equal(sent['a1']?.length, 2, 'once')
    t.equal(sent['p1']?.length, 3)
    t.strictSame(sent['d1'], [], 'who never had it')
  },
)
