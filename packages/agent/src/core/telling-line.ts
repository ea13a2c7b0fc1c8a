/** How the line begins or what it contains that says what is wrong: of most languages' runtimes, servers and shells. */
const namesError =
  /\b(?:error|exception|fatal|panic|emerg|crit|failed|failure|cannot|denied)\b|[a-z](?:Error|Exception)\b/i

/**
 * The one line of what a program has written that says most about its end. Runtimes follow the error by where it came
 * from, indented, and by what they are: neither helps.
 */
export function tellingLine(text: string, wanted: 'last' | 'error'): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const last = lines.at(-1) ?? ''
  const error =
    wanted === 'error'
      ? lines.findLast((line) => /^\S/.test(line) && namesError.test(line))
      : undefined
  return (error ?? last).trim()
}
