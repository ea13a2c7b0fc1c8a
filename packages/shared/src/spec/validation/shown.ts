import { distance } from 'fastest-levenshtein'

import { printable } from '../../printable.ts'
import { pointerSegments } from '../pointer.ts'

const maxShown = 60
const maxCompared = 64

/** Text in quotes, short and without anything that a terminal would act on. */
export const shownText = (text: string): string =>
  printable(JSON.stringify(text.length > maxShown ? `${text.slice(0, maxShown)}…` : text))

/** A value from a document, for a message. */
export function shownValue(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') return shownText(value)
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : 'something else'
}

/** What a message is about: the last key of the path, with the indexes that follow it. */
export function subjectOf(path: string): string {
  const segments = pointerSegments(path)
  const key = segments.findLastIndex((segment) => !/^[0-9]+$/.test(segment))
  if (key < 0) return 'the document'
  const name = segments[key] ?? ''
  const plain = /^[A-Za-z0-9._/-]{1,60}$/.test(name) ? name : shownText(name)
  return `${plain}${segments
    .slice(key + 1)
    .map((index) => `[${index}]`)
    .join('')}`
}

const plainForm = (word: string): string => word.toLowerCase().replaceAll(/[-_ ]/g, '')
const lettersOf = (word: string): string => word.split('').toSorted().join('')

/** How far apart two words are; the same letters in another order are one slip. */
function edits(written: string, candidate: string): number {
  const other = plainForm(candidate)
  if (written === other) return 0
  return lettersOf(written) === lettersOf(other) ? 1 : distance(written, other)
}

/** The candidate that was probably meant; null when none is close. */
function nearest(word: string, candidates: readonly string[]): string | null {
  if (word.length > maxCompared) return null
  const written = plainForm(word)
  let best: { readonly candidate: string; readonly slips: number } | null = null
  for (const candidate of candidates) {
    const slips = edits(written, candidate)
    const near = slips <= Math.max(1, Math.floor(Math.max(written.length, candidate.length) / 3))
    if (near && (best === null || slips < best.slips)) best = { candidate, slips }
  }
  return best?.candidate ?? null
}

/** `; did you mean "replicas"?`, or nothing. */
export function hint(word: string, candidates: readonly string[]): string {
  const candidate = nearest(word, candidates)
  return candidate === null ? '' : `; did you mean "${candidate}"?`
}

/** `a`, `a or b`, `a, b or c`. */
export function alternatives(words: readonly string[]): string {
  if (words.length < 2) return words.join('')
  return `${words.slice(0, -1).join(', ')} or ${words.at(-1) ?? ''}`
}
