import { BulkheadError, serviceKey, type Service } from '@bulkhead/shared'
import type { FastifyRequest } from 'fastify'

import type { ClusterView } from '../state/view.ts'

/** Who is asking, as it stands in events. */
export function actorOf(request: FastifyRequest): string {
  return request.principal?.actor ?? 'unknown'
}

export interface ServiceParams {
  readonly environment: string
  readonly name: string
}

/** Throws BulkheadError `not-found`. */
export function findService(view: ClusterView, { environment, name }: ServiceParams): Service {
  const service = view.services.get(serviceKey(environment, name))
  if (service) return service
  throw new BulkheadError('not-found', `there is no service ${name} in environment ${environment}`, 'see `bulkhead get services`')
}

/** Holds `If-Match` against the object's revision. Throws BulkheadError `revision-mismatch`. */
export function checkMatch(request: FastifyRequest, revision: number): void {
  const wanted = request.headers['if-match']
  if (wanted === undefined || wanted === '*') return
  if (wanted.replaceAll('"', '') === String(revision)) return
  throw new BulkheadError(
    'revision-mismatch',
    `it is at revision ${revision}, not ${wanted.slice(0, 40)}`,
    'read it again and decide anew',
  )
}
