import {
  BulkheadError,
  serviceKey,
  type Clock,
  type DocumentProblem,
  type Image,
  type ServiceSpec,
} from '@bulkhead/shared'

import type { ClusterView } from '../state/view.ts'
import type { ResolvedImage } from './images.ts'

export interface PinDeps {
  readonly resolve: (name: string) => Promise<ResolvedImage>
  readonly clock: Pick<Clock, 'monotonicMs'>
}

/** Images that are asked for at once. */
const concurrency = 8
/** No image is asked for any more after that: whoever applies is still there when the answer comes. */
const patienceMs = 30_000

/**
 * Pins the image of each service, by document. A tag is resolved once: a service whose image text has not changed
 * keeps its digest, whatever else is in the file, so that applying a file again changes nothing and needs no registry.
 * Throws BulkheadError with a problem for each image that is refused.
 */
export async function pinImages(
  view: ClusterView,
  services: ReadonlyMap<number, { readonly spec: ServiceSpec }>,
  deps: PinDeps,
): Promise<ReadonlyMap<number, ResolvedImage>> {
  const pinned = new Map<number, ResolvedImage>()
  const documentsOf = new Map<string, number[]>()
  for (const [document, { spec }] of services) {
    const image = keptImage(view, spec)
    if (image) pinned.set(document, { image, warnings: [] })
    else documentsOf.set(spec.image, [...(documentsOf.get(spec.image) ?? []), document])
  }
  const refusals = new Map<number, BulkheadError>()
  await eachImage([...documentsOf.keys()], deps, (name, outcome) => {
    for (const document of documentsOf.get(name) ?? []) {
      if (outcome instanceof BulkheadError) refusals.set(document, outcome)
      else pinned.set(document, outcome)
    }
  })
  if (refusals.size > 0) throw refusal(refusals)
  return pinned
}

function keptImage(view: ClusterView, { environment, name, image }: ServiceSpec): Image | null {
  const key = serviceKey(environment, name)
  const service = view.services.get(key)
  const current = service && view.revisionOf(key, service.revision)
  return current && current.spec.image === image && !current.template.image.local ? current.template.image : null
}

async function eachImage(
  names: readonly string[],
  { resolve, clock }: PinDeps,
  take: (name: string, outcome: ResolvedImage | BulkheadError) => void,
): Promise<void> {
  const untilMs = clock.monotonicMs() + patienceMs
  const queue = names.values()
  const work = async (): Promise<void> => {
    for (const name of queue) {
      take(name, clock.monotonicMs() < untilMs ? await outcomeOf(resolve, name) : tooLate(name))
    }
  }
  await Promise.all(Array.from({ length: concurrency }, work))
}

async function outcomeOf(resolve: PinDeps['resolve'], name: string): Promise<ResolvedImage | BulkheadError> {
  try {
    return await resolve(name)
  } catch (error) {
    if (error instanceof BulkheadError) return error
    throw error
  }
}

const tooLate = (name: string): BulkheadError =>
  new BulkheadError(
    'image-unresolved',
    `image ${name} could not be resolved: ${patienceMs / 1000} s had passed before it was asked for, because registries are slow to answer`,
    'look at the registries, or apply fewer new images at once',
  )

function refusal(refusals: ReadonlyMap<number, BulkheadError>): BulkheadError {
  const sorted = [...refusals].toSorted(([one], [other]) => one - other)
  const [[, first] = [0, tooLate('')]] = sorted
  // An image that several services use is one problem, where it is first named.
  const seen = new Set<BulkheadError>()
  const problems: DocumentProblem[] = []
  for (const [document, error] of sorted) {
    if (!seen.has(error)) problems.push({ document, path: '/image', message: error.message })
    seen.add(error)
  }
  return new BulkheadError(first.code, first.message, first.advice, problems)
}
