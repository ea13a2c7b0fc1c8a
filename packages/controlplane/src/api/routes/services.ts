import {
  BulkheadError,
  templateOf,
  type ListView,
  type RevisionView,
  type Service,
  type ServiceKey,
  type ServiceView,
  type UndoView,
} from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import { markDeleted } from '../../admission/admit.ts'
import { secondSetNeverFits } from '../../admission/core/second-set.ts'
import { neverFits } from '../../placement/core/never-fits.ts'
import { changeRevision } from '../../rollout/core/new-revision.ts'
import { pauseRollout, resumeRollout } from '../../rollout/core/pause.ts'
import { promoteRollout } from '../../rollout/core/promote.ts'
import { undoTo } from '../../rollout/core/undo.ts'
import type { Commit, Transaction } from '../../state/view.ts'
import { actorOf, checkMatch, findService, type ServiceParams } from '../actor.ts'
import type { ApiDeps } from '../deps.ts'
import { revisionView, serviceView } from '../views/service-view.ts'
import { listSchema, nameParameter } from '../query.ts'
import { listOrWatch } from '../watch.ts'

const read = { config: { permission: 'read' as const } }
const write = { config: { permission: 'write' as const } }
const one = '/v1/services/:environment/:name'

/** Keys of the services that a commit shows in: themselves, their instances, their revisions. */
function touchedServices(commit: Commit): Set<ServiceKey> {
  const keys = new Set<ServiceKey>()
  for (const change of commit.changes) {
    if (change.kind === 'service') keys.add(change.key)
    else if (change.kind === 'instance' || change.kind === 'revision') {
      const service = (change.after ?? change.before)?.service
      if (service !== undefined) keys.add(service)
    }
  }
  return keys
}

function readRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { view } = deps.state
  const network = deps.config.network.services
  app.get<{ Querystring: { environment?: string } }>('/v1/services', { ...read, schema: listSchema({ environment: nameParameter }) }, (request, reply) => {
    const { environment } = request.query
    const wanted = (service: Service): boolean =>
      environment === undefined || service.environment === environment
    return listOrWatch<ServiceView>(deps, request, reply, {
      list: () => [...view.services.values()].filter(wanted).map((service) => serviceView(view, service, network)),
      *changes(commit) {
        for (const key of touchedServices(commit)) {
          const service = view.services.get(key)
          if (service) {
            if (wanted(service)) yield { type: 'put', item: serviceView(view, service, network) }
            continue
          }
          const removed = commit.changes.find((change) => change.kind === 'service' && change.key === key)
          if (removed?.kind === 'service' && removed.before && wanted(removed.before)) {
            yield { type: 'delete', item: serviceView(view, removed.before, network) }
          }
        }
      },
    })
  })
  app.get<{ Params: ServiceParams }>(one, read, async (request, reply): Promise<ServiceView> => {
    const found = await deps.state.read(() => serviceView(view, findService(view, request.params), network, true))
    void reply.header('etag', `"${found.revision}"`)
    return found
  })
  app.get<{ Params: ServiceParams }>(
    `${one}/revisions`,
    read,
    (request): Promise<ListView<RevisionView>> =>
      deps.state.read(({ revision: at }) => {
        const service = findService(view, request.params)
        const items = view.revisionsOf(service.key).map((revision) => revisionView(service, revision))
        return { revision: at, items }
      }),
  )
}

/** A new revision with one thing changed. Throws `conflict`, or `never-fits` as `apply` would. */
function revise(
  tx: Transaction,
  service: Service,
  change: { readonly replicas?: number; readonly restart?: boolean },
  cause: string,
): void {
  const current = tx.revisionOf(service.key, service.revision)
  if (!current || service.deleting) {
    throw new BulkheadError('conflict', `service ${service.key} is being deleted`, 'wait until it is gone, then apply it again')
  }
  const replicas = change.replicas ?? current.spec.replicas
  const spec = { ...current.spec, replicas }
  const generation = current.template.generation + (change.restart ? 1 : 0)
  const source = change.replicas === undefined ? current.source : { ...current.source, replicas }
  const template = templateOf(spec, current.template.image, generation)
  const revision = changeRevision(tx, { key: service.key, spec, source, template, actor: tx.actor, cause })
  const reason = replicas > current.spec.replicas ? neverFits(tx, service.key, revision) : null
  if (reason !== null) {
    throw new BulkheadError('never-fits', `service ${service.key} can never fit: ${reason}`, 'add nodes or relax the placement')
  }
}

interface ServiceBody {
  readonly replicas?: number
  readonly to?: number
  readonly full?: boolean
}
/** What it returns goes into the answer. */
type ServiceAct = (tx: Transaction, service: Service, body: ServiceBody) => Partial<UndoView> | void

const scale: ServiceAct = (tx, service, { replicas }) => {
  const now = tx.revisionOf(service.key, service.revision)?.spec.replicas
  if (replicas === undefined || now === replicas) return
  revise(tx, service, { replicas }, `scaled from ${now} to ${replicas}`)
}

function writeRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { state } = deps
  const act = (path: string, properties: object, run: ServiceAct, required: string[] = []): void => {
    const type = required.length > 0 ? 'object' : ['object', 'null']
    const body = { type, additionalProperties: false, properties, required }
    app.post<{ Params: ServiceParams; Body: ServiceBody | null }>(
      `${one}/${path}`,
      { ...write, schema: { body } },
      async (request): Promise<ServiceView> => {
        let more: Partial<UndoView> = {}
        await state.write({ actor: actorOf(request) }, (tx) => {
          const service = findService(tx, request.params)
          checkMatch(request, service.revision)
          more = run(tx, service, request.body ?? {}) ?? {}
        })
        return { ...serviceView(state.view, findService(state.view, request.params), deps.config.network.services), ...more }
      },
    )
  }
  const replicas = { type: 'integer', minimum: 0, maximum: 10_000 }
  act('scale', { replicas }, scale, ['replicas'])
  act('restart', {}, (tx, service) => revise(tx, service, { restart: true }, 'restarted'))
  const to = { type: 'integer', minimum: 1 }
  act('undo', { to }, (tx, service, body) => {
    const { revision: undoneTo } = undoTo(tx, service, body.to ?? null)
    const reason = secondSetNeverFits(tx, service.key, deps.config.ports.range)
    if (reason === null) return { undoneTo }
    throw new BulkheadError('never-fits', `service ${service.key}: ${reason}`, 'make room, or apply the earlier document with another strategy')
  })
  act('pause', {}, (tx, service) => pauseRollout(tx, service))
  act('resume', {}, (tx, service) => resumeRollout(tx, service))
  const full = { type: 'boolean' }
  act('promote', { full }, (tx, service, body) => promoteRollout(tx, service, body.full ?? false))
  app.delete<{ Params: ServiceParams }>(one, write, async (request) => {
    await state.write({ actor: actorOf(request) }, (tx) => {
      const service = findService(tx, request.params)
      checkMatch(request, service.revision)
      markDeleted(tx, service.key, 'deleted by an operator')
    })
    return { revision: state.view.revision }
  })
}

export function serviceRoutes(app: FastifyInstance, deps: ApiDeps): void {
  readRoutes(app, deps)
  writeRoutes(app, deps)
}
