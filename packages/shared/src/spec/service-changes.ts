import type { FieldChange } from '../api/views.ts'
import { canonicalJson } from '../canonical.ts'
import { changesBetween } from './diff.ts'
import { normaliseService } from './normalise.ts'
import { pointerSegments } from './pointer.ts'
import type { ServiceSource } from './source.ts'
import type { ServiceSpec } from './spec.ts'
import { writtenService } from './written.ts'

/** One version of a service: its spec, the document that it is from, and the digest of its image. */
export interface ServiceVersion {
  readonly spec: ServiceSpec
  readonly source: Readonly<Record<string, unknown>>
  readonly digest: string
}

type Members = Record<string, unknown>

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** With the digest of the image, so that another one behind the same tag is a change; a local image may have none. */
function written({ spec, digest }: ServiceVersion): ServiceSource {
  const isPinned = spec.image.includes('@') || !digest.startsWith('sha256:')
  const image = isPinned ? spec.image : `${spec.image}@${digest}`
  return { ...writtenService(spec), image }
}

/** What the document has at a place; lists are left out, because normalising may order them anew. */
function inDocument({ source }: ServiceVersion, segments: readonly string[]): unknown {
  return segments.reduce<unknown>(
    (value, key) => (isMembers(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    source,
  )
}

/** A copy of the document in which the value at a place is another one. */
function withValue(document: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  const members = isMembers(document) ? document : {}
  return { ...members, [key]: withValue(members[key], rest, value) }
}

/** The value in the words of the document where it has some for it: `1.5` and not `1500m`, `300s` and not `5m`. */
function asWritten(version: ServiceVersion, path: string, value: unknown): unknown {
  const segments = pointerSegments(path)
  const own = inDocument(version, segments)
  if (own === undefined || path === '/image') return value
  const document = withValue(writtenService(version.spec), segments, own) as ServiceSource
  const same = canonicalJson(normaliseService(document)) === canonicalJson(version.spec)
  return same ? own : value
}

/**
 * What differs between two versions of a service, in the keys and units of documents and, where the document has
 * it, in its own words. Without `before` it is all that the service says.
 */
export function serviceChanges(
  before: ServiceVersion | null,
  after: ServiceVersion,
): readonly FieldChange[] {
  if (before === null) return changesBetween({}, written(after))
  return changesBetween(written(before), written(after)).map((change) => ({
    path: change.path,
    ...('before' in change ? { before: asWritten(before, change.path, change.before) } : {}),
    ...('after' in change ? { after: asWritten(after, change.path, change.after) } : {}),
  }))
}
