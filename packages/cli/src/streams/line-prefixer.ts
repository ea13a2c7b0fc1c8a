/** Cuts bytes into whole lines and puts a prefix before each; keeps an unfinished line back until `flush`. */
export class LinePrefixer {
  readonly #prefix: string
  readonly #decoder = new TextDecoder()
  #rest = ''

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  push(data: Uint8Array): string {
    const lines = (this.#rest + this.#decoder.decode(data, { stream: true })).split('\n')
    this.#rest = lines.pop() ?? ''
    const tooLong = this.#rest.length > restLimitChars
    return lines.map((line) => `${this.#prefix}${line}\n`).join('') + (tooLong ? this.flush() : '')
  }

  flush(): string {
    const rest = this.#rest
    this.#rest = ''
    return rest === '' ? '' : `${this.#prefix}${rest}\n`
  }
}

const restLimitChars = 1024 * 1024
