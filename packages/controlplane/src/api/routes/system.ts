import { sourceSchemas, BulkheadError, type SpecKind } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import type { ApiDeps } from '../deps.ts'
import { Metrics } from '../metrics.ts'
import { Readiness } from '../readiness.ts'

/** Whether it lives and serves, what it is, and what its documents and its API look like. */
export function systemRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const readiness = new Readiness(deps)
  app.get('/healthz', { config: { permission: 'open' } }, () => ({ status: 'ok' }))
  app.get('/readyz', { config: { permission: 'open' } }, async () => {
    await readiness.check()
    return { status: 'ok', revision: deps.state.view.revision }
  })
  let metrics: Metrics | null = null
  app.get('/metrics', { config: { permission: 'metrics' } }, async (_request, reply) => {
    metrics ??= new Metrics(deps.state.view, deps.hub.traffic)
    return reply.type(metrics.contentType).send(await metrics.text())
  })
  app.get('/v1/version', { config: { permission: 'open' } }, () => ({
    version: deps.version,
    cluster: deps.state.view.cluster,
  }))
  app.get('/v1/openapi.json', { config: { permission: 'open' } }, () => app.swagger())
  app.get<{ Params: { kind: string } }>(
    '/v1/schemas/:kind',
    { config: { permission: 'open' } },
    (request) => {
      const schema = sourceSchemas[request.params.kind as SpecKind] as object | undefined
      if (schema === undefined || !Object.hasOwn(sourceSchemas, request.params.kind)) {
        throw new BulkheadError('not-found', `there is no kind ${request.params.kind}`, `the kinds are ${Object.keys(sourceSchemas).join(', ')}`)
      }
      return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema }
    },
  )
}
