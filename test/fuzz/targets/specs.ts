import { isDeepStrictEqual } from 'node:util'

import {
  canonicalJson,
  changesBetween,
  type FieldChange,
  normaliseExternalService,
  normaliseService,
  normaliseZones,
  notEnforcedYet,
  pointerSegments,
  type ServiceSource,
  type SpecSource,
  writtenService,
} from '@bulkhead/shared'
import { validateDocument, validateDocuments } from '@bulkhead/shared/validation'
import fc from 'fast-check'

import { checkDocuments } from '../../../packages/cli/src/documents/check.ts'
import { readDocuments } from '../../../packages/cli/src/documents/read.ts'
import { stringifyYaml } from '../../../packages/cli/src/output/yaml.ts'
import { validService } from '../../../packages/shared/test/spec/sources.ts'
import { anyJson } from '../data/json.ts'
import { mutated, mutatedText } from '../data/mutate.ts'
import { bomb, yamlish } from '../data/yaml.ts'
import { expect, type OpenTarget, pureTarget } from '../run/target.ts'

/** A document of the largest size is refused or read well before this, on a busy machine. */
const readMs = 10_000

async function* once(chunk: string | Uint8Array): AsyncGenerator<string | Uint8Array> {
  yield chunk
}

/** Reads and checks as `validate -f -` does, and holds what comes out against the rules for errors. */
async function read(input: string | Uint8Array): Promise<readonly unknown[] | null> {
  const startMs = performance.now()
  const found = await readDocuments(['-'], once(input))
  const lines = checkDocuments(found)
  const tookMs = performance.now() - startMs
  expect(tookMs < readMs, `reading took ${Math.round(tookMs)} ms`)
  const lastLine =
    Buffer.from(input)
      .toString()
      .split(/\r\n|\n/).length + 1
  for (const text of lines) {
    const place = /^-:(\d+):(\d+): ./s.exec(text)
    const ofFile = /^-: (has no documents|is not text in UTF-8)/.test(text)
    expect(place !== null || ofFile, `without a position: ${JSON.stringify(text)}`)
    expect(place === null || Number(place[1]) <= lastLine, `beyond the end: ${text}`)
    expect(!/[\p{Cc}\u2028\u2029\u202e]/u.test(text), `not printable: ${JSON.stringify(text)}`)
  }
  return lines.length === 0 ? found.documents : null
}

/** What the control plane does with documents that are valid. */
function work(documents: readonly unknown[]): void {
  for (const document of documents as readonly SpecSource[]) {
    if (document.kind === 'Zones') {
      const spec = normaliseZones(document)
      const again = { ...document, ...spec }
      expect(isDeepStrictEqual(normaliseZones(again), spec), 'zones are no fixed point')
    } else if (document.kind === 'ExternalService') {
      const spec = normaliseExternalService(document)
      const again = normaliseExternalService({ ...document, ...spec })
      expect(isDeepStrictEqual(again, spec), 'an external service is no fixed point')
    } else {
      fixedPoint(document)
    }
  }
}

function fixedPoint(document: ServiceSource): void {
  const spec = normaliseService(document)
  const whole = writtenService(spec)
  const verdict = validateDocument(whole)
  expect(verdict.ok, `its normalised form is refused: ${JSON.stringify(verdict)}`)
  const again = normaliseService(whole)
  const changes = changesBetween(spec, again)
  expect(changes.length === 0, `no fixed point: ${JSON.stringify(changes)}`)
  expect(canonicalJson(again) === canonicalJson(spec), 'equal, but not in its canonical form')
  notEnforcedYet(spec)
}

const textIsReadOrRefused = fc.asyncProperty(
  fc.oneof(yamlish, mutatedText(yamlish)),
  async (text) => {
    const documents = await read(text)
    if (documents) work(documents)
  },
)

const bytesAreReadOrRefused = fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (bytes) => {
  const documents = await read(bytes)
  if (documents) work(documents)
})

const bombsAreDefused = fc.asyncProperty(bomb, fc.boolean(), async (text, isInside) => {
  await read(isInside ? `apiVersion: bulkhead/v1\nkind: Service\nenv: { A: 1 }\n${text}` : text)
})

/** Text that the reader refuses in YAML altogether. */
const isWritable = (text: string): boolean =>
  // oxlint-disable-next-line no-control-regex
  !/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/.test(text) && text.isWellFormed()

const validIsTheSameAgain = fc.asyncProperty(validService, fc.boolean(), async (source, asJson) => {
  const document = JSON.parse(JSON.stringify(source)) as ServiceSource
  fixedPoint(document)
  const text = asJson ? JSON.stringify(document) : stringifyYaml(document)
  if (!isWritable(text)) return
  const documents = await read(text)
  expect(documents !== null, 'refused')
  expect(isDeepStrictEqual(documents, [document]), `read as ${JSON.stringify(documents)}`)
})

const zonesDocument = fc
  .dictionary(fc.stringMatching(/^[a-z]{1,5}$/), fc.record({ edge: fc.boolean() }), {
    maxKeys: 4,
    noNullPrototype: true,
  })
  .map((zones) => ({ apiVersion: 'bulkhead/v1', kind: 'Zones', zones }))

const document = mutated(fc.oneof({ weight: 4, arbitrary: validService }, zonesDocument))

const mutatedIsJudged = fc.asyncProperty(fc.array(document, { maxLength: 4 }), async (values) => {
  const before = JSON.stringify(values)
  const result = validateDocuments(values)
  expect(JSON.stringify(values) === before, 'validation changed the documents')
  for (const { document, path, message } of result.problems) {
    expect(document >= 0 && document < values.length, `problem of document ${document}`)
    expect(path === '' || path.startsWith('/'), `path ${path}`)
    expect(message !== '' && !/\p{Cc}/u.test(message), `message ${JSON.stringify(message)}`)
  }
  work(result.documents)
  const text = values.map((value) => `---\n${JSON.stringify(value)}\n`).join('')
  if (values.length === 0 || !isWritable(text)) return
  const isRead = (await read(text)) !== null
  expect(isRead === (result.problems.length === 0), `the reader and validation differ: ${isRead}`)
})

function applied(before: unknown, changes: readonly FieldChange[]): unknown {
  let result = structuredClone(before)
  for (const change of changes.toReversed()) {
    const segments = pointerSegments(change.path)
    const last = segments.pop()
    if (last === undefined) {
      result = change.after
      continue
    }
    let parent = result as Record<string, unknown>
    for (const segment of segments) parent = parent[segment] as Record<string, unknown>
    if ('after' in change) {
      Object.defineProperty(parent, last, {
        value: change.after,
        enumerable: true,
        writable: true,
        configurable: true,
      })
    } else if (Array.isArray(parent)) parent.length = Math.min(parent.length, Number(last))
    else delete parent[last]
  }
  return result
}

const differencesSuffice = fc.property(anyJson, anyJson, (before, after) => {
  expect(changesBetween(before, before).length === 0, 'something differs from itself')
  const changes = changesBetween(before, after)
  const made = canonicalJson(applied(before, changes))
  expect(made === canonicalJson(after), `the changes make ${made}`)
})

export const openSpecs: OpenTarget = async () =>
  pureTarget('specs', [
    { name: 'any text', runs: 200, property: textIsReadOrRefused },
    { name: 'any bytes', runs: 100, property: bytesAreReadOrRefused },
    { name: 'bombs', runs: 20, property: bombsAreDefused },
    { name: 'valid documents', runs: 50, property: validIsTheSameAgain },
    { name: 'mutated documents', runs: 100, property: mutatedIsJudged },
    { name: 'differences', runs: 500, property: differencesSuffice },
  ])
