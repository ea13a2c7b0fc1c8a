import type { ApplyRequest, ApplyResult, PlanResult, ServiceKey } from '@bulkhead/shared'
import type { FastifyInstance, FastifyRequest } from 'fastify'

import { admit, applyAdmitted, findWhatNeverFits, type Admitted } from '../../admission/admit.ts'
import { simulatePlan } from '../../reconcile/core/simulate-plan.ts'
import { reconcileContext } from '../../reconcile/context.ts'
import { describeShift } from '../../rollout/core/describe-shift.ts'
import { activeShift } from '../../rollout/core/stages.ts'
import type { ClusterView } from '../../state/view.ts'
import { actorOf } from '../actor.ts'
import type { ApiDeps } from '../deps.ts'

const body = {
  type: 'object',
  required: ['documents'],
  additionalProperties: false,
  properties: {
    documents: { type: 'array', maxItems: 5000 },
    prune: { type: 'boolean' },
    allowPending: { type: 'boolean' },
  },
}

function plannedShift(view: ClusterView, key: ServiceKey): PlanResult['rollouts'] {
  const service = view.services.get(key)
  const wanted = service && view.revisionOf(key, service.revision)
  const active = wanted && activeShift(view.openRolloutOf(key), wanted.spec)
  if (!service || !wanted || !active) return []
  const { environment, name } = service
  const { shift } = active
  const steps = describeShift(wanted.spec, shift)
  return [{ service: name, environment, strategy: shift.strategy, steps }]
}

/** `apply`, and its two rehearsals `diff` and `plan`, which run the same code and take it back. */
export function applyRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { state, clock, resolveImage: resolve } = deps
  const { range } = deps.config.ports
  const options = { config: { permission: 'write' as const }, schema: { body } }
  const admitted = (request: FastifyRequest): Promise<Admitted> =>
    admit(state.view, request.body as ApplyRequest, { resolve, clock })

  app.post('/v1/apply', options, async (request): Promise<ApplyResult> => {
    const documents = await admitted(request)
    const objects = await state.write({ actor: actorOf(request) }, (tx) => applyAdmitted(tx, documents, deps.config))
    return { revision: state.view.revision, objects }
  })

  app.post('/v1/diff', options, async (request): Promise<ApplyResult> => {
    const documents = await admitted(request)
    // What does not fit is for `plan` to say; a difference is a difference all the same.
    const tolerant = { ...documents, request: { ...documents.request, allowPending: true } }
    const objects = state.tryOut({ actor: actorOf(request) }, (tx) => applyAdmitted(tx, tolerant, deps.config))
    return { revision: state.view.revision, objects }
  })

  app.post('/v1/plan', options, async (request): Promise<PlanResult> => {
    const documents = await admitted(request)
    return state.tryOut({ actor: actorOf(request) }, (tx) => {
      const tolerant = { ...documents, request: { ...documents.request, allowPending: true } }
      const objects = applyAdmitted(tx, tolerant, deps.config)
      const keys = objects.flatMap(({ kind, environment, name }) =>
        kind === 'Service' ? [`${environment}/${name}`] : [],
      )
      const unfit = documents.request.allowPending ? [] : findWhatNeverFits(tx, documents, objects, range)
      const refused = unfit.map(({ service, reason }) => ({
        service: service.spec.name,
        environment: service.spec.environment,
        reason,
      }))
      const rollouts = keys.flatMap((key) => plannedShift(tx, key))
      const { steps } = simulatePlan(tx, keys, reconcileContext(tx, deps, 0))
      return { revision: state.view.revision, objects, steps, refused, rollouts }
    })
  })
}
