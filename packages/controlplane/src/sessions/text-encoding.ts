/** Shorter texts are encoded while they are written, which is as fast. */
const longText = 1024

/** Encodes what is sent: a long text that goes to many, one after the other, is encoded once. */
export class TextEncoding {
  #text = ''
  #bytes: Buffer = Buffer.alloc(0)

  encode(text: string): string | Buffer {
    if (text.length < longText) return text
    if (text !== this.#text) {
      this.#text = text
      this.#bytes = Buffer.from(text)
    }
    return this.#bytes
  }
}
