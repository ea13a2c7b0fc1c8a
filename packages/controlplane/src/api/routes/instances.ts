import { BulkheadError, type Instance, type InstanceView, type ListView } from '@bulkhead/shared'
import type { EventView, RolloutView } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import type { ClusterView } from '../../state/view.ts'
import type { ApiDeps } from '../deps.ts'
import { rolloutView } from '../views/rollout-view.ts'
import { instanceView, isOfInterest } from '../views/service-view.ts'
import { flagParameter, keyParameter, kindParameter, limitParameter, listSchema, nameParameter, revisionParameter } from '../query.ts'
import { listOrWatch } from '../watch.ts'

const read = { config: { permission: 'read' as const } }

interface InstanceFilter {
  readonly environment?: string
  readonly service?: string
  readonly node?: string
  readonly all?: string
}

const instanceFilters = {
  environment: nameParameter,
  service: nameParameter,
  node: nameParameter,
  all: flagParameter,
}
const eventFilters = { subject: keyParameter, kind: kindParameter, limit: limitParameter, since: revisionParameter }

/** Throws BulkheadError `not-found`. */
export function findInstance(view: ClusterView, id: string): Instance {
  const instance = view.instances.get(id)
  if (instance) return instance
  throw new BulkheadError('not-found', `there is no instance ${id}`, 'see `bulkhead get instances --all`')
}

function matches(filter: InstanceFilter, view: InstanceView): boolean {
  return (
    (filter.environment === undefined || view.environment === filter.environment) &&
    (filter.service === undefined || view.service === filter.service) &&
    (filter.node === undefined || view.node === filter.node)
  )
}

/** The narrowest index that covers the filter. */
function candidates(view: ClusterView, { environment, service, node }: InstanceFilter): Iterable<Instance> {
  if (environment !== undefined && service !== undefined) return view.instancesOf(`${environment}/${service}`)
  return node === undefined ? view.instances.values() : view.instancesOn(node)
}

export function instanceRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { view } = deps.state
  const show = (instance: Instance): InstanceView => instanceView(view, instance, deps.clock.nowMs())
  app.get<{ Querystring: InstanceFilter }>('/v1/instances', { ...read, schema: listSchema(instanceFilters) }, (request, reply) => {
    const filter = request.query
    return listOrWatch<InstanceView>(deps, request, reply, {
      list: () =>
        Array.from(candidates(view, filter))
          .filter((instance) => filter.all === 'true' || isOfInterest(view, instance))
          .map((instance) => show(instance))
          .filter((item) => matches(filter, item)),
      *changes(commit) {
        for (const change of commit.changes) {
          if (change.kind !== 'instance') continue
          const instance = change.after ?? change.before
          if (!instance) continue
          const item = show(instance)
          if (matches(filter, item)) yield { type: change.after ? 'put' : 'delete', item }
        }
      },
    })
  })
  app.get<{ Params: { id: string } }>('/v1/instances/:id', read, (request): Promise<InstanceView> =>
    deps.state.read(() => show(findInstance(view, request.params.id))),
  )
  app.get<{ Querystring: { environment?: string; service?: string } }>('/v1/rollouts', { ...read, schema: listSchema({ environment: nameParameter, service: nameParameter }) }, (request, reply) => {
    const { environment, service } = request.query
    const wanted = (item: RolloutView): boolean =>
      (environment === undefined || item.environment === environment) &&
      (service === undefined || item.service === service)
    return listOrWatch<RolloutView>(deps, request, reply, {
      list: () => [...view.rollouts.values()].map((rollout) => rolloutView(deps, rollout)).filter((item) => wanted(item)),
      *changes(commit) {
        for (const change of commit.changes) {
          const rollout = change.kind === 'rollout' ? (change.after ?? change.before) : undefined
          if (change.kind !== 'rollout' || !rollout) continue
          const item = rolloutView(deps, rollout)
          if (wanted(item)) yield { type: change.after ? 'put' : 'delete', item }
        }
      },
    })
  })
  eventRoutes(app, deps)
}

interface EventFilter {
  readonly subject?: string
  readonly kind?: EventView['kind']
  readonly limit?: string
  readonly since?: string
}

function eventRoutes(app: FastifyInstance, deps: ApiDeps): void {
  app.get<{ Querystring: EventFilter }>('/v1/events', { ...read, schema: listSchema(eventFilters) }, (request, reply): Promise<ListView<EventView> | undefined> => {
    const { subject, kind, limit, since } = request.query
    const wanted = (event: EventView): boolean =>
      (subject === undefined || event.subject === subject) && (kind === undefined || event.kind === kind)
    return listOrWatch<EventView>(deps, request, reply, {
      list: () =>
        deps.state.events({
          limit: Number(limit ?? 200),
          ...(subject === undefined ? {} : { subject }),
          ...(kind === undefined ? {} : { kind }),
          ...(since === undefined ? {} : { since: Number(since) }),
        }),
      *changes(commit) {
        for (const item of commit.events) if (wanted(item)) yield { type: 'put', item }
      },
    })
  })
}
