import { BulkheadError, serviceKey, splitServiceKey, type ServiceKey, type EndpointTable, type EndpointsView } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import { findService, type ServiceParams } from '../actor.ts'
import type { ClusterView } from '../../state/view.ts'
import type { ApiDeps } from '../deps.ts'
import { listSchema, nameParameter } from '../query.ts'
import { listOrWatch } from '../watch.ts'

const read = { config: { permission: 'discover' as const } }

function show(table: EndpointTable, port: string | undefined): EndpointsView {
  const { environment, name } = splitServiceKey(table.service)
  const endpoints = table.endpoints.filter(
    (endpoint) => endpoint.weight > 0 && (port === undefined || endpoint.port === port),
  )
  return { service: name, environment, revision: table.revision, endpoints }
}

/** A service or an external one: they share their names. Throws BulkheadError `not-found`. */
function discovered(view: ClusterView, params: ServiceParams): ServiceKey {
  const key = serviceKey(params.environment, params.name)
  return view.externals.has(key) ? key : findService(view, params).key
}

/** Of any revision that is kept: during a rollout the ports of the one before are still served. */
function checkPort(view: ClusterView, key: ServiceKey, port: string): void {
  const external = view.externals.get(key)
  const specs = external ? [external] : view.revisionsOf(key)
  const ports = new Set(specs.flatMap(({ spec }) => Object.keys(spec.ports)))
  if (ports.has(port)) return
  const known = ports.size === 0 ? 'it has none' : `its ports are ${[...ports].join(', ')}`
  throw new BulkheadError('bad-request', `service ${key} has no port ${port}; ${known}`, 'leave port out to see all of them')
}

/** Where the healthy instances are, for programs. */
export function discoveryRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { state, tables } = deps
  const { view } = state
  app.get<{ Querystring: { environment?: string } }>('/v1/endpoints', { ...read, schema: listSchema({ environment: nameParameter }) }, (request, reply) => {
    const { environment } = request.query
    const wanted = (key: string): boolean => environment === undefined || splitServiceKey(key).environment === environment
    return listOrWatch<EndpointsView>(deps, request, reply, {
      list: () => [...tables.all()].filter(({ service }) => wanted(service)).map((table) => show(table, undefined)),
      *changes(commit) {
        const keys = new Set(
          commit.changes.flatMap((change) =>
            change.kind === 'instance' || change.kind === 'rollout' ? [(change.after ?? change.before)?.service ?? ''] : change.kind === 'service' || change.kind === 'external' ? [change.key] : [],
          ),
        )
        for (const key of keys) {
          const table = wanted(key) ? tables.get(key) : undefined
          if (table) yield { type: 'put', item: show(table, undefined) }
        }
      },
    })
  })
  app.get<{ Params: ServiceParams; Querystring: { port?: string; watch?: string } }>(
    '/v1/discovery/:environment/:name',
    { ...read, schema: listSchema({ port: nameParameter }) },
    async (request, reply): Promise<EndpointsView | undefined> => {
      await state.settled()
      const key = discovered(view, request.params)
      const { port, watch } = request.query
      if (port !== undefined) checkPort(view, key, port)
      const current = (): EndpointsView => {
        const table = tables.get(key)
        if (table) return show(table, port)
        const { environment, name } = splitServiceKey(key)
        return { service: name, environment, revision: view.revision, endpoints: [] }
      }
      if (watch === undefined) return current()
      let last: EndpointTable | undefined
      await listOrWatch<EndpointsView>(deps, request, reply, {
        list: () => [current()],
        *changes(commit) {
          const table = tables.get(key)
          if (table !== undefined && table === last) return
          last = table
          yield { type: 'put', item: { ...current(), revision: commit.revision } }
        },
      })
      return undefined
    },
  )
}

