import { errorCatalogue, type ErrorCode, type ProblemDetails } from '@bulkhead/shared'

import type { FindAsker } from '../askers.ts'
import { type Directory, resolveFor } from '../core/resolve.ts'
import type { DiscoveryAnswer, DiscoveryRequest } from './listener.ts'

export interface AnswerDeps {
  readonly directory: Directory
  readonly findAsker: FindAsker
}

const maxUrlLength = 2048

/** Answers one request of a container. */
export async function answer(
  deps: AnswerDeps,
  request: DiscoveryRequest,
): Promise<DiscoveryAnswer> {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    return problem('bad-request', 'discovery is read-only', 'use GET')
  }
  if (request.url.length > maxUrlLength) return problem('too-large', 'the URL is too long', '')
  if (!URL.canParse(request.url, 'http://discovery')) {
    return problem('bad-request', 'the URL is not well formed', '')
  }
  const url = new URL(request.url, 'http://discovery')
  if (url.pathname === '/healthz') return json(200, { status: 'ok' })
  const parts = /^\/v1\/discovery\/([a-z0-9-]+)\/([a-z0-9-]+)$/.exec(url.pathname)
  if (!parts) {
    return problem('not-found', 'there is nothing here', 'use /v1/discovery/ENVIRONMENT/SERVICE')
  }
  const asker = await deps.findAsker(request.from)
  if (!asker) {
    return problem('not-allowed', `no instance is known at ${request.from}`, 'ask from an instance')
  }
  const [, environment = '', service = ''] = parts
  const port = url.searchParams.get('port')
  const resolution = resolveFor(asker, deps.directory, { environment, service, port })
  if (resolution.kind === 'found') return json(200, resolution.view)
  const code = resolution.kind === 'refused' ? 'not-allowed' : 'not-found'
  return problem(code, resolution.reason, 'ask for a service of a zone that yours reaches')
}

function json(status: number, value: unknown, contentType = 'application/json'): DiscoveryAnswer {
  return { status, contentType, body: `${JSON.stringify(value)}\n` }
}

function problem(code: ErrorCode, detail: string, advice: string): DiscoveryAnswer {
  const { status, title } = errorCatalogue[code]
  const details: ProblemDetails = { type: 'about:blank', title, status, code, detail, advice }
  return json(status, details, 'application/problem+json')
}
