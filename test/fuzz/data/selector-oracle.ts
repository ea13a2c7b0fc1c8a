import type { Requirement } from '@bulkhead/shared'

/**
 * Selectors read in another way than the parser does it: cut at the commas outside of brackets, and each piece
 * held against the forms that Kubernetes documents. Slow and simple.
 */

const key = String.raw`[^\s=!(),]+`
const value = String.raw`[^\s=!(),]*`
const equality = new RegExp(String.raw`^(${key})\s*(==|=|!=)\s*(${value})$`)
const set = new RegExp(String.raw`^(${key})\s+(in|notin)\s*\((.*)\)$`, 's')
const exists = new RegExp(`^(${key})$`)
const absent = new RegExp(String.raw`^!\s*(${key})$`)

function pieces(text: string): string[] {
  const found = ['']
  let open = 0
  for (const character of text) {
    if (character === '(') open += 1
    if (character === ')') open -= 1
    if (character === ',' && open === 0) found.push('')
    else found[found.length - 1] += character
  }
  return found.map((piece) => piece.trim())
}

const alphanumeric = /^[A-Za-z0-9]$/

function isName(text: string): boolean {
  const ends = alphanumeric.test(text.at(0) ?? '') && alphanumeric.test(text.at(-1) ?? '')
  return ends && text.length <= 63 && text.replaceAll(/[A-Za-z0-9._-]/g, '') === ''
}

function isKey(text: string): boolean {
  const parts = text.split('/')
  const [prefix = '', name = ''] = parts
  if (parts.length === 1) return isName(text)
  const isPrefix = /^[a-z0-9.-]+$/.test(prefix) && !/^[.-]|[.-]$/.test(prefix)
  return parts.length === 2 && isPrefix && prefix.length <= 253 && isName(name)
}

const isValue = (text: string): boolean => text === '' || isName(text)

function requirementOf(piece: string): Requirement | null {
  const inSet = set.exec(piece)
  if (inSet) {
    const [, name = '', operator = '', list = ''] = inSet
    const values = list.split(',').map((item) => item.trim())
    const isFine = isKey(name) && list.trim() !== '' && values.every(isValue)
    return isFine ? { key: name, operator: operator as 'in', values: [...new Set(values)] } : null
  }
  const equal = equality.exec(piece)
  if (equal) {
    const [, name = '', operator = '', wanted = ''] = equal
    const values = [wanted]
    return isKey(name) && isValue(wanted)
      ? { key: name, operator: operator === '!=' ? 'notin' : 'in', values }
      : null
  }
  const there = exists.exec(piece)?.[1]
  if (there !== undefined) return isKey(there) ? { key: there, operator: 'exists' } : null
  const missing = absent.exec(piece)?.[1]
  return missing !== undefined && isKey(missing) ? { key: missing, operator: 'absent' } : null
}

/** Null when the text is no selector. */
export function expectedSelector(text: string): Requirement[] | null {
  if (text.trim() === '') return []
  const requirements: Requirement[] = []
  for (const piece of pieces(text)) {
    const requirement = requirementOf(piece)
    if (requirement === null) return null
    requirements.push(requirement)
  }
  return requirements
}

/** What a requirement means: `!=` and `notin` hold for what is not there as well. */
export function holdsFor(
  requirement: Requirement,
  labels: Readonly<Record<string, string>>,
): boolean {
  const found = Object.entries(labels).find(([name]) => name === requirement.key)?.[1]
  if (requirement.operator === 'exists') return found !== undefined
  if (requirement.operator === 'absent') return found === undefined
  const isListed = requirement.values.some((value) => value === found)
  return requirement.operator === 'in' ? isListed : !isListed
}
