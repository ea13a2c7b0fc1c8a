import { crc32 } from 'node:zlib'

/** One change: a value under a key, or null for none any more. */
export interface Entry {
  readonly key: string
  readonly value: unknown
}

/** First line of every journal; another version is not read as if it were this one. */
const header = { key: 'journal', value: 1 }

const checksum = (text: string): string => crc32(text).toString(16).padStart(8, '0')

/** One line: a checksum, a space, and `[key, value]` as JSON. */
export function encodeEntry(entry: Entry): string {
  const text = JSON.stringify([entry.key, entry.value])
  return `${checksum(text)} ${text}\n`
}

export const encodeHeader = (): string => encodeEntry(header)

export type Decoded =
  | { readonly kind: 'whole'; readonly entries: readonly Entry[] }
  /** The end was not written completely: what comes before it is good. */
  | { readonly kind: 'torn'; readonly entries: readonly Entry[] }
  | { readonly kind: 'damaged'; readonly reason: string }

/** Reads a journal. Only its end may be bad: that is what a crash leaves behind; anything else is damage. */
export function decodeJournal(data: Buffer): Decoded {
  const lines = data.toString('utf8').split('\n')
  const last = lines.pop() ?? ''
  const decoded = lines.map(decodeLine)
  const bad = decoded.indexOf(null)
  const good = bad < 0 ? decoded : decoded.slice(0, bad)
  if (bad >= 0 && decoded.slice(bad).some((entry) => entry !== null)) {
    return { kind: 'damaged', reason: `line ${bad + 1} is damaged, and others follow it` }
  }
  const [first, ...entries] = good.filter((entry) => entry !== null)
  // The beginning is never written but together with all that is there at that time.
  if (first?.key !== header.key || first.value !== header.value) {
    return { kind: 'damaged', reason: 'it does not begin as a journal of this version does' }
  }
  return { kind: bad < 0 && last === '' ? 'whole' : 'torn', entries }
}

function decodeLine(line: string): Entry | null {
  const text = line.slice(9)
  if (line[8] !== ' ' || line.slice(0, 8) !== checksum(text)) return null
  try {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value) || typeof value[0] !== 'string') return null
    return { key: value[0], value: value[1] as unknown }
  } catch {
    return null
  }
}
