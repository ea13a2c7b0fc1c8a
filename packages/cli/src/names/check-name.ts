import { BulkheadError } from '@bulkhead/shared/client'

interface Rule {
  readonly pattern: RegExp
  readonly words: string
  /** Where people find the names that there are. */
  readonly list: string
}

const lowerCase = 'lower-case letters, digits and hyphens'
const ofServices: Rule = {
  pattern: /^[a-z][a-z0-9-]{0,79}$/,
  words: `${lowerCase}, starting with a letter`,
  list: 'bulkhead get services',
}

const rules = {
  service: ofServices,
  environment: ofServices,
  secret: { ...ofServices, list: 'bulkhead secret list' },
  instance: { ...ofServices, list: 'bulkhead get instances' },
  node: {
    pattern: /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/,
    words: `${lowerCase}, and dots between them`,
    list: 'bulkhead get nodes',
  },
} satisfies Record<string, Rule>

export type Named = keyof typeof rules

export const isName = (what: Named, text: string): boolean => rules[what].pattern.test(text)

export const wordsOfName = (what: Named): string => rules[what].words

/**
 * Names become parts of paths, in which `..` means something else: what cannot be a name is refused before
 * anything is sent. Throws BulkheadError `bad-usage`; `given` is what people wrote.
 */
export function checkName(what: Named, text: string, given = text): void {
  if (isName(what, text)) return
  const { words, list } = rules[what]
  const shown = given === '' ? '""' : given
  throw new BulkheadError('bad-usage', `${what} ${shown}: a name is ${words}`, `see ${list}`)
}
