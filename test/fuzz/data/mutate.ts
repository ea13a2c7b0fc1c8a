import fc from 'fast-check'

import { anyJson, anyText } from './json.ts'

type Path = readonly (string | number)[]

/** Every place in a value, the value itself first. */
function* placesIn(value: unknown, path: Path = []): Iterable<Path> {
  yield path
  if (typeof value !== 'object' || value === null) return
  for (const [key, child] of Object.entries(value)) yield* placesIn(child, [...path, key])
}

/** What is done to the member of a mapping or a list; undefined takes it away. */
type Edit = (key: string, value: unknown) => readonly (readonly [string, unknown])[]

function edited(value: unknown, path: Path, edit: Edit): unknown {
  const [key, ...rest] = path
  if (key === undefined) return edit('', value)[0]?.[1] ?? null
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).flatMap(([name, child]) => {
    if (name !== String(key)) return [[name, child] as const]
    return rest.length === 0 ? edit(name, child) : [[name, edited(child, rest, edit)] as const]
  })
  return Array.isArray(value) ? entries.map(([, child]) => child) : Object.fromEntries(entries)
}

const edit: fc.Arbitrary<Edit> = fc.oneof(
  anyJson.map((other): Edit => (key) => [[key, other]]),
  anyText.map((name): Edit => (_key, value) => [[name, value]]),
  fc.tuple(anyText, anyJson).map(([name, other]): Edit => (key, value) => [
    [key, value],
    [name, other],
  ]),
  fc.constant<Edit>(() => []),
  fc.constant<Edit>((key, value) => [[key, [value, value]]]),
  fc.constant<Edit>((key, value) => [[key, { [key]: value }]]),
  fc.constant<Edit>((key, value) => [[key, JSON.stringify(value)]]),
)

const mutation = fc.tuple(fc.nat(), edit)

/** The value with up to `most` of its places changed, dropped, renamed, wrapped or doubled. */
export function mutated(source: fc.Arbitrary<unknown>, most = 3): fc.Arbitrary<unknown> {
  return fc.tuple(source, fc.array(mutation, { maxLength: most })).map(([value, mutations]) => {
    let result = value
    for (const [at, edit] of mutations) {
      const places = [...placesIn(result)]
      result = edited(result, places[at % places.length] ?? [], edit)
    }
    return result
  })
}

/** The text with pieces cut out, put in, or its end missing. */
export function mutatedText(source: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const cut = fc.tuple(fc.nat(), fc.nat({ max: 8 }), anyText)
  return fc
    .tuple(source, fc.array(cut, { maxLength: 4 }), fc.boolean())
    .map(([text, cuts, isShort]) => {
      let result = text
      for (const [at, length, piece] of cuts) {
        const start = at % (result.length + 1)
        result = result.slice(0, start) + piece + result.slice(start + length)
      }
      return isShort ? result.slice(0, (cuts[0]?.[0] ?? 1) % (result.length + 1)) : result
    })
}
