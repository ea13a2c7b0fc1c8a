const firstBytes = 512
const byteBits = 8

/**
 * What the library writes messages into, for its own writer keeps every bit as a number in a list, and makes a buffer
 * of all of them after each record: a hundred services would take milliseconds.
 */
export class ByteWriter {
  /** Where names stand that later ones point at: the library's own. */
  names?: unknown
  #bytes = Buffer.alloc(firstBytes)
  #bits = 0

  write(value: number, size: number): void {
    const end = this.#bits + size
    this.#grow(Math.ceil(end / byteBits))
    this.patch(this.#bits, value, size)
    this.#bits = end
  }

  /** Overwrites bits that are there. */
  patch(at: number, value: number, size: number): void {
    if (at % byteBits === 0 && size % byteBits === 0) {
      for (let bit = size - byteBits; bit >= 0; bit -= byteBits) {
        this.#bytes[(at + size - byteBits - bit) / byteBits] = (value >>> bit) & 0xff
      }
      return
    }
    for (let index = 0; index < size; index++) {
      const place = at + index
      const mask = 0x80 >>> (place % byteBits)
      const byte = this.#bytes[place >>> 3] ?? 0
      this.#bytes[place >>> 3] =
        ((value >>> (size - index - 1)) & 1) === 1 ? byte | mask : byte & ~mask
    }
  }

  bitLength(): number {
    return this.#bits
  }

  byteLength(): number {
    return this.#bits / byteBits
  }

  /** A view, which is right until more is written. */
  toBuffer(): Buffer {
    return this.#bytes.subarray(0, Math.ceil(this.#bits / byteBits))
  }

  #grow(length: number): void {
    if (length <= this.#bytes.length) return
    const larger = Buffer.alloc(Math.max(length, 2 * this.#bytes.length))
    this.#bytes.copy(larger)
    this.#bytes = larger
  }
}
