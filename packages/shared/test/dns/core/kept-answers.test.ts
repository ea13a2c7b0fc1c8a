import fc from 'fast-check'
import t from 'tap'

import { KeptAnswers } from '../../../src/dns/core/kept-answers.ts'
import { respond } from '../../../src/dns/core/respond.ts'
import { makeResponder } from '../../../src/dns/responder.ts'
import { endpoint, namesOf, question, services, table } from '../support.ts'

const names = namesOf(
  [
    table('prod/api', { endpoints: Array.from({ length: 5 }, (_, index) => endpoint(index)) }),
    table('prod/idle', { endpoints: [] }),
  ],
  services,
)
const by = { names, forwards: false }

t.test('an answer that was kept is the one that would have been made', async (t) => {
  const kept = new KeptAnswers()
  const responder = makeResponder({
    asker: () => ({ ...by, kept }),
    forwarder: null,
    onError: (error) => t.fail(String(error)),
  })
  const asked = fc.record({
    id: fc.nat(0xffff),
    rd: fc.constantFrom<0 | 1>(0, 1),
    edns: fc.constantFrom(null, 512, 1232),
    name: fc.constantFrom(
      'api.prod',
      'API.prod',
      '_http._tcp.api.prod',
      'idle.prod',
      'none.prod',
      'x',
    ),
    type: fc.constantFrom<'A' | 'AAAA' | 'SRV'>('A', 'AAAA', 'SRV'),
    transport: fc.constantFrom<'udp' | 'tcp'>('udp', 'tcp'),
  })
  await fc.assert(
    fc.asyncProperty(asked, async ({ name, type, transport, ...rest }) => {
      const message = question(`${name}.bulkhead`, type, rest)
      const made = respond(message, transport, by)
      for (const answer of [1, 2]) {
        const told = await responder({ message, transport, from: '10.0.0.1' })
        t.same(told, made.kind === 'answer' ? made.message : null, String(answer))
      }
    }),
    { numRuns: 300 },
  )
})

t.test('what is kept is bounded', async (t) => {
  const kept = new KeptAnswers()
  const answer = Buffer.from([0, 0, 1])
  const message = (index: number): Buffer => Buffer.from([0, 0, index >> 8, index & 0xff])
  for (let index = 0; index <= 4096; index++) kept.keep(message(index), 'udp', answer)
  t.equal(kept.find(message(0), 'udp'), null, 'all of it makes room at once')
  kept.keep(Buffer.alloc(300), 'tcp', answer)
  t.equal(kept.find(Buffer.alloc(300), 'tcp'), null, 'a long question')
  kept.keep(Buffer.alloc(40), 'tcp', Buffer.alloc(2000))
  t.equal(kept.find(Buffer.alloc(40), 'tcp'), null, 'a long answer')
  t.same(kept.find(Buffer.from([7, 0, 16, 0]), 'udp')?.subarray(0, 1), Buffer.from([7]))
})
