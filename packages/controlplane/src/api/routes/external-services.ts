import { type ExternalService, type ExternalServiceView, BulkheadError, serviceKey } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import { deleteExternal } from '../../admission/external-services.ts'
import { actorOf, checkMatch, type ServiceParams } from '../actor.ts'
import type { ApiDeps } from '../deps.ts'
import { listSchema, nameParameter } from '../query.ts'
import { listOrWatch } from '../watch.ts'

const read = { config: { permission: 'read' as const } }
const write = { config: { permission: 'write' as const } }

const show = ({ spec, revision }: ExternalService): ExternalServiceView => ({ ...spec, revision })

/** What runs outside containers. */
export function externalServiceRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { state } = deps
  const { view } = state
  const find = ({ environment, name }: ServiceParams): ExternalService => {
    const found = view.externals.get(serviceKey(environment, name))
    if (found) return found
    const what = `there is no external service ${name} in environment ${environment}`
    throw new BulkheadError('not-found', what, 'see `bulkhead get external-services`')
  }
  app.get<{ Querystring: { environment?: string } }>(
    '/v1/external-services',
    { ...read, schema: listSchema({ environment: nameParameter }) },
    (request, reply) => {
      const { environment } = request.query
      const wanted = ({ spec }: ExternalService): boolean =>
        environment === undefined || spec.environment === environment
      return listOrWatch<ExternalServiceView>(deps, request, reply, {
        list: () => [...view.externals.values()].filter(wanted).map(show),
        *changes(commit) {
          for (const change of commit.changes) {
            const item = change.kind === 'external' ? (change.after ?? change.before) : undefined
            if (change.kind !== 'external' || !item || !wanted(item)) continue
            yield { type: change.after ? 'put' : 'delete', item: show(item) }
          }
        },
      })
    },
  )
  const path = '/v1/external-services/:environment/:name'
  app.get<{ Params: ServiceParams }>(path, read, (request): Promise<ExternalServiceView> =>
    state.read(() => show(find(request.params))),
  )
  app.delete<{ Params: ServiceParams }>(path, write, async (request, reply) => {
    await state.write({ actor: actorOf(request) }, (tx) => {
      const { key, revision } = find(request.params)
      checkMatch(request, revision)
      deleteExternal(tx, key, 'deleted by an operator')
    })
    return reply.code(204).send()
  })
}
