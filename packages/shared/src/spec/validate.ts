import { type SpecKind, type SpecSource, sourceSchemas } from './source.ts'
import { documentSetProblems, type Placed, type SetProblem } from './validation/document-set.ts'
import { externalServiceProblems } from './validation/external-service.ts'
import type { Problem } from './validation/problem.ts'
import { schemaProblems } from './validation/schema.ts'
import { serviceProblems } from './validation/service.ts'
import { shapeProblem } from './validation/shape.ts'
import { alternatives, hint, shownValue } from './validation/shown.ts'
import { zonesProblems } from './validation/zones.ts'

export const maxDocuments = 5000
const maxProblemsOfDocument = 100
const maxProblems = 1000

export type DocumentResult =
  | { readonly ok: true; readonly document: SpecSource }
  | { readonly ok: false; readonly problems: readonly Problem[] }

export interface DocumentsResult {
  /** The valid ones, in order: all that were sent when there are no problems. */
  readonly documents: readonly SpecSource[]
  /** By document, then as found; nothing more is looked at after 1,000. */
  readonly problems: readonly SetProblem[]
}

const apiVersion = 'bulkhead/v1'
const kinds = Object.keys(sourceSchemas)

const isKind = (kind: unknown): kind is SpecKind =>
  typeof kind === 'string' && Object.hasOwn(sourceSchemas, kind)

/** `apiVersion` and `kind` decide what everything else means, so they are looked at first. */
function* headProblems(head: Readonly<Record<string, unknown>>): Iterable<Problem> {
  if (!Object.hasOwn(head, 'apiVersion')) {
    yield { path: '', message: `missing key "apiVersion"; write apiVersion: ${apiVersion}` }
  } else if (head['apiVersion'] !== apiVersion) {
    const found = shownValue(head['apiVersion'])
    yield { path: '/apiVersion', message: `apiVersion must be ${apiVersion}; found ${found}` }
  }
  if (!Object.hasOwn(head, 'kind')) {
    yield { path: '', message: `missing key "kind"; write kind: ${alternatives(kinds)}` }
  } else if (!isKind(head['kind'])) {
    const kind = head['kind']
    const meant = typeof kind === 'string' ? hint(kind, kinds) : ''
    const message = `kind must be ${alternatives(kinds)}; found ${shownValue(kind)}${meant}`
    yield { path: '/kind', message }
  }
}

function problemsOf(value: unknown): readonly Problem[] {
  const shape = shapeProblem(value)
  if (shape) return [shape]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const message = `a document must be a mapping; found ${shownValue(value)}`
    return [{ path: '', message }]
  }
  const head = value as Readonly<Record<string, unknown>>
  const wrongHead = [...headProblems(head)]
  const { kind } = head
  if (wrongHead.length > 0 || !isKind(kind)) return wrongHead
  const wrongShape = schemaProblems(kind, value)
  if (wrongShape.length > 0) return wrongShape
  const document = value as SpecSource
  if (document.kind === 'Service') return serviceProblems(document)
  return document.kind === 'Zones' ? zonesProblems(document) : externalServiceProblems(document)
}

/** Checks one document by itself; never throws on plain data, whatever is in it. */
export function validateDocument(value: unknown): DocumentResult {
  const problems = problemsOf(value)
  if (problems.length === 0) return { ok: true, document: value as SpecSource }
  return { ok: false, problems: problems.slice(0, maxProblemsOfDocument) }
}

/** Checks documents that are to be applied together; the control plane and `validate` both ask this. */
export function validateDocuments(documents: readonly unknown[]): DocumentsResult {
  if (documents.length > maxDocuments) {
    const message = `at most ${maxDocuments} documents at once; found ${documents.length}`
    return { documents: [], problems: [{ document: maxDocuments, path: '', message }] }
  }
  const placed: Placed[] = []
  const problems: SetProblem[] = []
  for (const [index, value] of documents.entries()) {
    if (problems.length >= maxProblems) break
    const result = validateDocument(value)
    if (result.ok) placed.push({ index, document: result.document })
    else problems.push(...result.problems.map((problem) => ({ document: index, ...problem })))
  }
  problems.push(...documentSetProblems(placed))
  return {
    documents: placed.map(({ document }) => document),
    problems: problems.toSorted((a, b) => a.document - b.document).slice(0, maxProblems),
  }
}
