import { createHash, createSecretKey } from 'node:crypto'

import fc from 'fast-check'
import t from 'tap'

import { type Beat, beatKey, beatKeyOfToken, decodeBeat, encodeBeat, isSignedBy, maxBeatBytes } from '../../src/index.ts'

const key = beatKeyOfToken('bh-node-1-secret')
const beats: fc.Arbitrary<Beat> = fc.record({
  kind: fc.constantFrom('hears', 'deaf', 'answer'),
  node: fc.string({ maxLength: 63 }),
  bootId: fc.string({ maxLength: 63 }),
  counter: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
})

t.test('what is encoded is decoded, and signed by its key only', async (t) => {
  const other = beatKeyOfToken('bh-node-2-secret')
  fc.assert(
    fc.property(beats, (beat) => {
      const datagram = encodeBeat(beat, key)
      t.same(decodeBeat(datagram), { ...beat })
      return datagram.length <= maxBeatBytes && isSignedBy(datagram, key) && !isSignedBy(datagram, other)
    }),
  )
})

t.test('both sides have the key: one from the token, one from what is kept of it', async (t) => {
  const kept = createHash('sha256').update('bh-node-1-secret').digest()
  t.ok(beatKey(kept).equals(key))
  t.notOk(key.equals(createSecretKey(kept)), 'which is not the hash itself')
})

t.test('a datagram that was changed anywhere is not signed, and nonsense is no beat', async (t) => {
  const datagram = encodeBeat({ kind: 'hears', node: 'n1', bootId: 'b', counter: 7 }, key)
  for (let index = 0; index < datagram.length; index++) {
    const changed = Uint8Array.from(datagram)
    changed[index] = (changed[index] ?? 0) ^ 1
    t.ok(decodeBeat(changed) === null || !isSignedBy(changed, key), `byte ${index}`)
  }
  for (let length = 0; length < datagram.length; length++) t.equal(decodeBeat(datagram.subarray(0, length)), null)
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2 * maxBeatBytes }), (bytes) => {
      decodeBeat(bytes)
      return !isSignedBy(bytes, key)
    }),
  )
  t.throws(() => encodeBeat({ kind: 'hears', node: 'n'.repeat(256), bootId: 'b', counter: 1 }, key), RangeError)
})
