import fc from 'fast-check'

type Change = (bytes: Buffer) => Buffer

const at = fc.nat(2000)

/** Changes of a message that leave most of it as it was: a bit, a byte, a piece cut out, put in or said twice. */
export const mutate: fc.Arbitrary<Change> = fc
  .array(
    fc.oneof(
      fc.tuple(at, fc.nat(7)).map(([where, bit]): Change => (bytes) => {
        const copy = Buffer.from(bytes)
        const index = where % Math.max(copy.length, 1)
        if (copy.length > 0) copy[index] = (copy[index] ?? 0) ^ (1 << bit)
        return copy
      }),
      fc
        .tuple(at, fc.constantFrom(0, 0xc0, 0x0c, 0xff, 0x3f, 0x40))
        .map(([where, byte]): Change => (bytes) => {
          const copy = Buffer.from(bytes)
          if (copy.length > 0) copy[where % copy.length] = byte
          return copy
        }),
      at.map(
        (where): Change =>
          (bytes) =>
            bytes.subarray(0, where % (bytes.length + 1)),
      ),
      fc.tuple(at, fc.nat(40)).map(([where, length]): Change => (bytes) => {
        const from = where % (bytes.length + 1)
        return Buffer.concat([bytes.subarray(0, from), bytes.subarray(from + length)])
      }),
      fc.tuple(at, fc.uint8Array({ maxLength: 40 })).map(([where, more]): Change => (bytes) => {
        const from = where % (bytes.length + 1)
        return Buffer.concat([bytes.subarray(0, from), more, bytes.subarray(from)])
      }),
      at.map(
        (where): Change =>
          (bytes) =>
            Buffer.concat([bytes, bytes.subarray(where % (bytes.length + 1))]),
      ),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map(
    (changes): Change =>
      (bytes) =>
        changes.reduce((message, change) => change(message), bytes),
  )
