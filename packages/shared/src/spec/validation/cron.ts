const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** Names for `min`, `min + 1` … */
  readonly names: readonly string[]
}

const fields: readonly Field[] = [
  { name: 'minute', min: 0, max: 59, names: [] },
  { name: 'hour', min: 0, max: 23, names: [] },
  { name: 'day of month', min: 1, max: 31, names: [] },
  { name: 'month', min: 1, max: 12, names: months },
  { name: 'day of week', min: 0, max: 7, names: days },
]

function valueOf(text: string, field: Field): number | null {
  const named = field.names.indexOf(text.toLowerCase())
  if (named >= 0) return field.min + named
  if (!/^[0-9]{1,2}$/.test(text)) return null
  const value = Number(text)
  return value >= field.min && value <= field.max ? value : null
}

/** `*`, `5`, `1-5`, each with an optional `/step`. */
function isRange(text: string, field: Field): boolean {
  const [range = '', step, ...more] = text.split('/')
  if (more.length > 0) return false
  if (step !== undefined && !(/^[0-9]{1,2}$/.test(step) && Number(step) >= 1)) return false
  if (range === '*') return true
  const ends = range.split('-').map((end) => valueOf(end, field))
  const [from = null, to = from] = ends
  return ends.length <= 2 && from !== null && to !== null && from <= to
}

/** Why the text is no cron expression of five fields; null when it is one. */
export function cronProblem(text: string): string | null {
  const parts = text.trim().split(/\s+/)
  if (parts.length !== fields.length) {
    return 'expected five fields: minute, hour, day of month, month, day of week'
  }
  for (const [index, field] of fields.entries()) {
    const part = parts[index] ?? ''
    if (!part.split(',').every((range) => isRange(range, field))) {
      return `the field for the ${field.name} is out of range or not well formed`
    }
  }
  return null
}
