// What a terminal would take as a command: text from elsewhere must not move the cursor or set colours.
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f]+/g

/** One line of plain text, whatever the server sent. */
export const cleanText = (text: string): string => text.replace(controls, ' ')

export type Measure = (text: string) => number

const isPlain = (text: string): boolean =>
  /^[\u0020-\u024f\u2010-\u2044\u2190-\u21ff\u2500-\u25ff]*$/.test(text)

const countCharacters: Measure = (text) => text.length

/**
 * How many columns of a terminal a text takes. The tables of Unicode are loaded only when one of the texts
 * needs them, as they cost as much time as everything else together.
 */
export async function measureFor(texts: readonly string[]): Promise<Measure> {
  if (texts.every((text) => isPlain(text))) return countCharacters
  const { default: stringWidth } = await import('string-width')
  return stringWidth
}

/** Cuts a text to a width, the last column being an ellipsis. */
export function truncate(text: string, width: number, measure: Measure = countCharacters): string {
  if (measure(text) <= width) return text
  if (width < 1) return ''
  let cut = ''
  let used = 0
  for (const character of text) {
    used += measure(character)
    if (used > width - 1) break
    cut += character
  }
  return `${cut.trimEnd()}…`
}

/** Breaks a text at spaces into lines of at most `width` characters; longer words stay whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

export const plural = (count: number, word: string, words = `${word}s`): string =>
  `${count} ${count === 1 ? word : words}`

/** `a, b, c`, and of more than `limit` how many there are besides. */
export function listed(names: readonly string[], limit: number): string {
  const rest = names.length - limit
  if (rest <= 0) return names.join(', ')
  return `${names.slice(0, limit).join(', ')} and ${rest} more`
}
