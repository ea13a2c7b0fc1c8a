import { BulkheadError, type ServiceSource } from '@bulkhead/shared'

import type { OperatorStep } from '../scenario/scenario.ts'
import type { SimControlPlane } from './control-plane.ts'
import type { Request } from './routes.ts'

export type Outcome = 'acknowledged' | 'refused' | 'unreachable'

export interface Acknowledged {
  /** The revision of the state by which it must have been durable. */
  readonly revision: number
  readonly step: OperatorStep
}

export interface OperatorDeps {
  readonly controlPlane: SimControlPlane
  readonly tell: (line: string) => void
  readonly onAcknowledged: (acknowledged: Acknowledged) => void
  readonly onRemoved: (node: string) => void
  readonly onBug: (text: string) => void
}

/** A person with the command line: knows the documents that were last applied. */
export class Operator {
  readonly sources = new Map<string, ServiceSource>()
  readonly #deps: OperatorDeps

  constructor(deps: OperatorDeps) {
    this.#deps = deps
  }

  /** Never settles when the control plane dies over it: then nobody knows whether it took place. */
  async perform(step: OperatorStep, allowPending = false): Promise<Outcome> {
    const { controlPlane, tell, onAcknowledged, onRemoved, onBug } = this.#deps
    const deleted = step.kind === 'delete' ? this.sources.get(step.service) : undefined
    const request = this.#requestOf(step, allowPending)
    if (request === null) return 'refused'
    const { running } = controlPlane
    const text = describe(step)
    if (!running) {
      tell(`operator: ${text}: the control plane does not answer`)
      return 'unreachable'
    }
    try {
      await running.routes.call(request)
    } catch (error) {
      if (!(error instanceof BulkheadError)) {
        onBug(`${text}: ${String(error)}`)
        return 'refused'
      }
      tell(`operator: ${text}: refused: ${error.message}`)
      return error.code === 'store-failed' ? 'unreachable' : 'refused'
    }
    if (!controlPlane.running) return 'unreachable'
    tell(`operator: ${text}`)
    // Meanwhile it may have been asked for anew.
    if (step.kind === 'delete' && this.sources.get(step.service) === deleted)
      this.sources.delete(step.service)
    onAcknowledged({ revision: running.state.feed.revision, step })
    if (step.kind === 'remove') onRemoved(step.node)
    return 'acknowledged'
  }

  /** Null: there is nothing to apply a change to. */
  #requestOf(step: OperatorStep, allowPending: boolean): Request | null {
    if (step.kind === 'apply') return this.#apply(step.source, allowPending)
    if (step.kind === 'upgrade' || step.kind === 'change') {
      const source = this.sources.get(step.service)
      const change = step.kind === 'upgrade' ? { image: step.image } : step.change
      return source ? this.#apply({ ...source, ...change }, allowPending) : null
    }
    return 'service' in step ? onService(step) : onNode(step)
  }

  #apply(source: ServiceSource, allowPending: boolean): Request {
    this.sources.set(`${source.environment ?? 'default'}/${source.name}`, source)
    const body = { documents: [source], prune: false, allowPending }
    return { method: 'POST', route: '/v1/apply', params: {}, body }
  }
}

type OnService = Extract<OperatorStep, { readonly service: string }>
type OnNode = Extract<OperatorStep, { readonly node: string }>

function onService(step: Exclude<OnService, { kind: 'upgrade' | 'change' }>): Request {
  const params = serviceParams(step.service)
  if (step.kind === 'delete')
    return { method: 'DELETE', route: '/v1/services/:environment/:name', params }
  const { kind } = step
  if (kind === 'scale') return act('services', params, kind, { replicas: step.replicas })
  return act('services', params, kind, kind === 'promote' ? { full: step.full } : {})
}

function onNode(step: OnNode): Request {
  const params = { node: step.node }
  if (step.kind === 'remove') return { method: 'DELETE', route: '/v1/nodes/:node', params }
  if (step.kind === 'label')
    return act('nodes', params, 'labels', { set: step.set, remove: step.remove })
  const deadlineMs = step.kind === 'drain' ? step.deadlineMs : null
  return act('nodes', params, step.kind, deadlineMs === null ? {} : { deadlineMs })
}

function serviceParams(service: string): Record<string, string> {
  const [environment = '', name = ''] = service.split('/')
  return { environment, name }
}

function act(
  of: 'services' | 'nodes',
  params: Record<string, string>,
  verb: string,
  body: object,
): Request {
  const object = of === 'services' ? ':environment/:name' : ':node'
  return { method: 'POST', route: `/v1/${of}/${object}/${verb}`, params, body }
}

/** The step as people would say it. */
function describe(step: OperatorStep): string {
  if (step.kind === 'apply')
    return `apply ${step.source.name} x ${step.source.replicas} ${JSON.stringify(step.source)}`
  const { kind, ...rest } = step
  const values = Object.values(rest).map((value) =>
    typeof value === 'object' ? JSON.stringify(value) : String(value),
  )
  return `${kind} ${values.join(' ')}`
}
