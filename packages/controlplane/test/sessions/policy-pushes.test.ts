import type { Peer } from '@bulkhead/shared'
import t from 'tap'

import { PolicyPushes } from '../../src/sessions/policy-pushes.ts'
import type { Session } from '../../src/sessions/session.ts'
import { aNode } from '../state/fixtures.ts'
import { admin, openForTest } from '../state/open-for-test.ts'
import { HandClock } from '../support/hand-clock.ts'

const network = { services: '10.231.0.0/16', services6: null }

t.test('what nodes of the same environments are told is made once, and anew when it changes', async (t) => {
  const { state } = await openForTest()
  const clock = new HandClock()
  const sessions: Session[] = []
  const pushes = new PolicyPushes({ view: state.view, clock, network, sessions: () => sessions })
  const peers: Record<string, string[][]> = {}
  const begin = (node: string): void => {
    const told = (peers[node] = [] as string[][])
    const session = {
      node,
      sendText(text: string) {
        const { policy } = JSON.parse(text) as { policy: { peers: Peer[] } }
        told.push(policy.peers.map((peer) => peer.node))
      },
    } as unknown as Session
    sessions.push(session)
    pushes.tell(session)
  }
  const join = (name: string): Promise<void> => state.write(admin, (tx) => tx.putNode(aNode(name)))
  state.feed.subscribe((commit) => pushes.follow([commit]), new AbortController().signal)

  await join('a1')
  await join('a2')
  begin('a1')
  begin('a2')
  t.strictSame(peers, { a1: [['a1', 'a2']], a2: [['a1', 'a2']] })

  await join('a3')
  begin('a3')
  t.strictSame(peers['a3'], [['a1', 'a2', 'a3']], 'a session that begins now knows of it already')
  clock.advance(100)
  t.strictSame(peers['a1']?.[1], ['a1', 'a2', 'a3'], 'and the others a moment later')
  t.equal(peers['a3']?.length, 1)

  await state.write(admin, (tx) => tx.deleteNode('a2'))
  clock.advance(2000)
  begin('a4')
  t.strictSame(peers['a4'], [], 'who is no node is told nothing')
  t.strictSame(peers['a1']?.at(-1), ['a1', 'a3'])
})
