import { nodeState, splitServiceKey, stateOf, type ExplainView, type Instance, type Service } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import { explainNodes } from '../../placement/core/explain.ts'
import type { ClusterView } from '../../state/view.ts'
import { findService, type ServiceParams } from '../actor.ts'
import type { ApiDeps } from '../deps.ts'
import { instanceReason } from '../views/instance-reason.ts'
import { findInstance } from './instances.ts'

const read = { config: { permission: 'read' as const } }
const historyLength = 20

function describeInstance(view: ClusterView, instance: Instance, nowMs: number): string {
  const { environment } = splitServiceKey(instance.service)
  const why = instanceReason(view, instance, nowMs)
  const reason = why === instance.cause ? '' : `: ${why}`
  if (instance.node === null) return `${instance.id} (${environment}) has no node: ${instance.cause}`
  const node = view.nodes.get(instance.node)
  const where = node ? `node ${node.name} (${nodeState(node)})` : `node ${instance.node}, which is gone`
  return `${instance.id} (${environment}) is ${stateOf(instance)} on ${where}${reason}; ${instance.cause}`
}

function describeService(service: Service): string {
  const reason = service.reason === '' ? '' : `: ${service.reason}`
  return `${service.name} (${service.environment}) is ${service.status}${reason}`
}

/** Why something is where it is, or is nowhere: the placement's own filters, asked again now. */
export function explainRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { state } = deps
  const { view } = state
  app.get<{ Params: ServiceParams }>('/v1/explain/services/:environment/:name', read, async (request): Promise<ExplainView> => {
    await state.settled()
    const service = findService(view, request.params)
    const history = [
      ...state.events({ subject: service.key, limit: historyLength }),
      ...view.instancesOf(service.key).flatMap(({ id }) => state.events({ subject: id, limit: 5 })),
    ].toSorted((a, b) => a.revision - b.revision)
    return {
      subject: service.key,
      summary: describeService(service),
      nodes: explainNodes(view, service.key, null, deps.config.ports.range),
      history: history.slice(-historyLength),
    }
  })
  app.get<{ Params: { id: string } }>('/v1/explain/instances/:id', read, async (request): Promise<ExplainView> => {
    await state.settled()
    const instance = findInstance(view, request.params.id)
    return {
      subject: instance.id,
      summary: describeInstance(view, instance, deps.clock.nowMs()),
      nodes: explainNodes(view, instance.service, instance, deps.config.ports.range),
      history: state.events({ subject: instance.id, limit: historyLength }),
    }
  })
}
