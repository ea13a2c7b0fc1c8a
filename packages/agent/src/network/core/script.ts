import { type Ruleset, type SetName, setNames } from './ruleset.ts'
import { definitions, rules } from './structure.ts'

/** Sets of a table as far as they are known; one that is missing has no elements. */
export type KnownSets = Partial<Readonly<Record<SetName, ReadonlySet<string>>>>

/** How long what was begun with an endpoint may go on after it has left its table; instances drain for less. */
const leavingTimeout = '1h'
/** Elements in one line of a script. */
const atOnce = 500

/** Makes the table as a whole, whatever is there; sets keep the elements that they should have. */
export function replaceScript(table: string, known: KnownSets, wanted: Ruleset): string {
  return lines([
    ...definitions(table),
    `flush table ${table}`,
    ...rules(table, wanted.egress),
    ...elementChanges(table, known, wanted),
  ])
}

/** Makes the table anew, for when what is there has a form that cannot be built on. */
export function anewScript(table: string, wanted: Ruleset): string {
  const gone = [`add table ${table}`, `delete table ${table}`]
  return lines([...gone, replaceScript(table, {}, wanted).trimEnd()])
}

/** From one ruleset to the next, in one transaction; empty when there is nothing to do. */
export function changeScript(table: string, current: Ruleset, wanted: Ruleset): string {
  const before = rules(table, current.egress)
  const after = rules(table, wanted.egress)
  const isSame = before.length === after.length && before.every((rule, i) => rule === after[i])
  return lines([
    ...(isSame ? [] : [`flush table ${table}`, ...after]),
    ...elementChanges(table, current.sets, wanted),
  ])
}

/** What goes comes first: networks that overlap with it can take its place. */
function elementChanges(table: string, known: KnownSets, { sets }: Ruleset): readonly string[] {
  const removals: string[] = []
  const additions: string[] = []
  for (const name of setNames) {
    const current = known[name] ?? new Set<string>()
    const wanted = sets[name]
    removals.push(...elementLines(table, 'delete', name, minus(current, wanted)))
    additions.push(...elementLines(table, 'add', name, minus(wanted, current)))
  }
  return [...removals, ...additions]
}

const minus = (all: ReadonlySet<string>, without: ReadonlySet<string>): readonly string[] =>
  [...all].filter((element) => !without.has(element))

/** For endpoints that are being left, of both families. */
export function leavingLines(
  table: string,
  verb: 'add' | 'delete',
  elements: readonly string[],
): readonly string[] {
  const timeout = verb === 'add' ? ` timeout ${leavingTimeout}` : ''
  return ([4, 6] as const).flatMap((family) => {
    const some = elements.filter((element) => element.includes(':') === (family === 6))
    return elementLines(
      table,
      verb,
      `leaving${family}`,
      some.map((one) => `${one}${timeout}`),
    )
  })
}

function elementLines(
  table: string,
  verb: 'add' | 'delete',
  set: string,
  elements: readonly string[],
): readonly string[] {
  const found: string[] = []
  for (let from = 0; from < elements.length; from += atOnce) {
    const some = elements.slice(from, from + atOnce).join(', ')
    found.push(`${verb} element ${table} ${set} { ${some} }`)
  }
  return found
}

const lines = (all: readonly string[]): string => (all.length === 0 ? '' : `${all.join('\n')}\n`)
