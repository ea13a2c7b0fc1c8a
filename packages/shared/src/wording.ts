/** A wall-clock time for people: RFC 3339 in UTC, to the second. */
export const shownTime = (ms: number): string =>
  new Date(ms).toISOString().replace(/\.[0-9]+Z$/, 'Z')

/** `1 instance`, `2 instances`; `many` where that is not the word with an s. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`

/** `a`, `a and b`, `a, b and c`. Node's own Intl is right for more languages, and takes 7 MB of memory. */
export function listed(items: readonly string[], word: 'and' | 'or'): string {
  const last = items.slice(-2).join(` ${word} `)
  return [...items.slice(0, -2), last].join(', ')
}
