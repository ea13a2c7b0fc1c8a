import { Packet } from 'dns2'
import fc from 'fast-check'
import t from 'tap'

import { ByteWriter } from '../../../src/dns/core/byte-writer.ts'

t.test('writes what the library’s own writer does', async () => {
  const write = fc.record({ value: fc.nat(2 ** 31 - 1), size: fc.constantFrom(1, 3, 4, 8, 16, 32) })
  fc.assert(
    fc.property(fc.array(write, { maxLength: 400 }), write, fc.nat(100), (writes, patch, at) => {
      const own = new ByteWriter()
      const other = new Packet.Writer()
      for (const { value, size } of writes) {
        own.write(value, size)
        other.write(value, size)
      }
      const place = Math.min(at, own.bitLength() - patch.size)
      for (const writer of place < 0 ? [] : [own, other])
        writer.patch(place, patch.value, patch.size)
      const isSame =
        own.toBuffer().equals(other.toBuffer()) && own.bitLength() === other.bitLength()
      return isSame && own.byteLength() === other.byteLength()
    }),
  )
})
