import type { ServiceSource } from '@bulkhead/shared'

import type { NodePlan, Scenario } from './scenario.ts'

type Has<T> = Readonly<Record<string, (of: T) => boolean>>

const separates = ({ placement }: ServiceSource, isSelf: boolean): boolean =>
  (placement?.separate ?? []).some(({ from }) => (from === 'self') === isSelf)

const port = ({ ports }: ServiceSource): unknown => ports?.http

const ofServices: Has<ServiceSource> = {
  'exclusive: true': ({ exclusive }) => exclusive === true,
  'update: canary': ({ update }) => update?.strategy === 'canary',
  'update: blue-green': ({ update }) => update?.strategy === 'blue-green',
  'update: maxSurge 0': ({ update }) => update?.maxSurge === 0,
  'update: maxUnavailable 0': ({ update }) => update?.maxUnavailable === 0,
  'update: onFailure pause': ({ update }) => update?.onFailure === 'pause',
  'separate from self': (source) => separates(source, true),
  'separate from another service': (source) => separates(source, false),
  spread: ({ placement }) => (placement?.spread ?? []).length > 0,
  'require a label': ({ placement }) => (placement?.require ?? []).length > 0,
  'prefer a label': ({ placement }) => (placement?.prefer ?? []).length > 0,
  dependsOn: ({ dependsOn }) => (dependsOn ?? []).length > 0,
  'a fixed host port': (source) => typeof port(source) === 'object',
  'no port': (source) => port(source) === undefined,
  'no probes': ({ health }) => health?.readiness === undefined,
  'a liveness probe': ({ health }) => health?.liveness !== undefined,
  'a startup probe': ({ health }) => health?.startup !== undefined,
  'no replicas': ({ replicas }) => replicas === 0,
}

const ofNodes: Has<NodePlan> = {
  'a node of one zone': ({ zones }) => zones.length === 1,
  'a node of some environments': ({ environments }) => environments.length > 0,
  'a node without a rack': ({ labels }) => labels.rack === undefined,
  'a node whose clock is off': ({ skewMs }) => Math.abs(skewMs) > 1000,
  'a node that prepares no successors': ({ preparedSuccessors }) => preparedSuccessors === 0,
}

/** What of the services and nodes occurs in a scenario. */
export function featuresOf({ nodes, steps }: Scenario): readonly string[] {
  const sources = steps.flatMap((step) => (step.kind === 'apply' ? [step.source] : []))
  const hosts = new Set(nodes.map(({ host }) => host))
  const found = [
    ...Object.keys(ofServices).filter((name) => sources.some((one) => ofServices[name]?.(one))),
    ...Object.keys(ofNodes).filter((name) => nodes.some((one) => ofNodes[name]?.(one))),
  ]
  if (nodes.length === 1) found.push('one node alone')
  if (hosts.size < nodes.length) found.push('two nodes on one physical host')
  return found
}
