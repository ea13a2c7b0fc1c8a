import {
  BulkheadError,
  canonicalJson,
  changesBetween,
  normaliseExternalService,
  normaliseService,
  normaliseZones,
  notEnforcedYet,
  serviceChanges,
  serviceKey,
  templateOf,
  type ApplyRequest,
  type DocumentProblem,
  type Image,
  type ObjectChange,
  type ServiceKey,
  type ServiceSource,
  type ServiceSpec,
  type SpecSource,
  type ZonesSource,
} from '@bulkhead/shared'
import { validateDocuments } from '@bulkhead/shared/validation'
import { validate } from 'node-cron'

import { neverFits } from '../placement/core/never-fits.ts'
import type { Config } from '../config/config.ts'
import type { PortRange } from '../placement/core/ports.ts'
import { changeRevision } from '../rollout/core/new-revision.ts'
import type { ClusterView, Transaction } from '../state/view.ts'
import { clusterProblems } from './core/cluster-problems.ts'
import { externalProblems } from './core/external-problems.ts'
import { secondSetNeverFits } from './core/second-set.ts'
import { type AdmittedExternal, applyExternals, pruneExternals } from './external-services.ts'
import { pinImages, type PinDeps } from './pin-images.ts'

export interface AdmittedService {
  readonly document: number
  readonly key: ServiceKey
  readonly source: ServiceSource
  readonly spec: ServiceSpec
  readonly image: Image
  readonly warnings: readonly string[]
}

/** Documents that are well formed, with their images pinned: ready to be applied in one transaction. */
export interface Admitted {
  readonly zones: ZonesSource | null
  readonly services: readonly AdmittedService[]
  readonly externals: readonly AdmittedExternal[]
  readonly request: ApplyRequest
}

const advice = 'correct the documents; nothing was changed'

/** Checks documents and resolves images; changes nothing. Throws BulkheadError with a problem for each fault. */
export async function admit(
  view: ClusterView,
  request: ApplyRequest,
  deps: PinDeps,
): Promise<Admitted> {
  const { documents, problems: faults } = validateDocuments([...request.documents])
  const problems = [...faults, ...documents.flatMap(scheduleProblems)]
  if (problems.length > 0) throw refusal(problems)
  const services = new Map<number, { source: ServiceSource; spec: ServiceSpec }>()
  let zones: ZonesSource | null = null
  const externals: AdmittedExternal[] = []
  for (const [index, document] of documents.entries()) {
    if (document.kind === 'Zones') zones = document
    else if (document.kind === 'ExternalService') externals.push({ document: index, spec: normaliseExternalService(document) })
    else services.set(index, { source: document, spec: normaliseService(document) })
  }
  const images = await pinImages(view, services, deps)
  const admitted: AdmittedService[] = []
  for (const [index, { source, spec }] of services) {
    const resolved = images.get(index)
    if (!resolved) continue
    admitted.push({
      document: index,
      key: serviceKey(spec.environment, spec.name),
      source,
      spec,
      image: resolved.image,
      warnings: [...resolved.warnings, ...notEnforcedYet(spec)],
    })
  }
  return { zones, services: admitted, externals, request }
}

/** Schedules are checked by the library that runs them. */
function scheduleProblems(source: SpecSource, document: number): DocumentProblem[] {
  const schedule = source.kind === 'Service' ? (source.scale?.schedule ?? []) : []
  return schedule.flatMap(({ cron }, index) =>
    validate(cron)
      ? []
      : [{ document, path: `/scale/schedule/${index}/cron`, message: `${JSON.stringify(cron)} is not a cron expression, such as "0 8 * * 1-5"` }],
  )
}

function refusal(problems: readonly DocumentProblem[]): BulkheadError {
  const [first] = problems
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  return new BulkheadError('bad-spec', `${first?.message ?? 'not valid'}${more}`, advice, problems)
}

/**
 * Writes the admitted documents into the transaction: all of them, or by throwing none. Returns what changed.
 * Throws BulkheadError `bad-spec` (the cluster lacks what they name), `never-fits` or `conflict`.
 */
export function applyAdmitted(
  tx: Transaction,
  admitted: Admitted,
  { ports: { range }, network }: Pick<Config, 'ports' | 'network'>,
): ObjectChange[] {
  const changes: ObjectChange[] = []
  if (admitted.zones) changes.push(applyZones(tx, admitted.zones))
  const problems = [...clusterProblems(tx, admitted.services), ...externalProblems(tx, admitted.externals, network)]
  if (problems.length > 0) throw refusal(problems)
  for (const service of admitted.services) changes.push(applyService(tx, service))
  changes.push(...applyExternals(tx, admitted.externals))
  if (admitted.request.prune) changes.push(...prune(tx, admitted))
  if (!admitted.request.allowPending) refuseWhatNeverFits(tx, admitted, changes, range)
  return changes
}

function applyZones(tx: Transaction, source: ZonesSource): ObjectChange {
  const after = normaliseZones(source)
  const fields = changesBetween(tx.zones, after)
  const action = fields.length === 0 ? 'unchanged' : 'update'
  if (fields.length > 0) {
    const missing = [...tx.services.values()].find((service) => {
      const zone = tx.revisionOf(service.key, service.revision)?.spec.zone
      return zone !== undefined && !Object.hasOwn(after.zones, zone)
    })
    const outside = [...tx.externals.values()].find(({ spec }) => !Object.hasOwn(after.zones, spec.zone))
    const key = missing?.key ?? outside?.key
    if (key !== undefined) {
      throw new BulkheadError('conflict', `Zones: service ${key} is in a zone that is no longer declared`, 'delete or move the service first')
    }
    tx.putZones(after)
    tx.event({ kind: 'Zones', subject: 'zones', action: 'updated', reason: fields.map(({ path }) => path).join(', ') })
  }
  return { kind: 'Zones', name: 'zones', environment: null, action, revision: 0, changes: fields, warnings: [] }
}

/** The edge waits for its certificates, and nothing else of a service does. */
function missingSecrets({ secrets }: Transaction, { environment, expose }: ServiceSpec): string[] {
  const names = new Set(expose.flatMap(({ tlsSecret }) => tlsSecret ?? []))
  return [...names]
    .filter((name) => !secrets.has(`${environment}/${name}`))
    .map((name) => `there is no secret ${name} yet: nothing is exposed with it until bulkhead secret set ${name} -e ${environment}`)
}

/** Nor does it wait for proxies. */
function missingProxies(tx: Transaction, { environment, zone, expose }: ServiceSpec): string[] {
  if (expose.length === 0) return []
  const edge = [...tx.nodes.values()].filter(({ facts: { zones, environments } }) => {
    return zones.includes(zone) && (environments.length === 0 || environments.includes(environment))
  })
  const without = edge.find(({ facts: { network } }) => network.proxyReason !== '')
  if (!without || edge.some(({ facts: { network } }) => network.proxy !== null)) return []
  return [`no node of zone ${zone} has a proxy, so that nothing is exposed: bulkhead describe node ${without.name} says why`]
}

function applyService(tx: Transaction, { key, source, spec, image, ...admitted }: AdmittedService): ObjectChange {
  const warnings = [...admitted.warnings, ...missingSecrets(tx, spec), ...missingProxies(tx, spec)]
  const service = tx.services.get(key)
  if (tx.externals.has(key)) {
    throw new BulkheadError('conflict', `${key} is an external service`, 'delete that first, or choose another name')
  }
  if (service?.deleting) {
    throw new BulkheadError('conflict', `service ${key} is still being deleted`, 'wait until it is gone, then apply again')
  }
  const current = service && tx.revisionOf(key, service.revision)
  const template = templateOf(spec, image, current?.template.generation ?? 0)
  const common = { kind: 'Service' as const, name: spec.name, environment: spec.environment, warnings }
  const same =
    current !== undefined &&
    canonicalJson(current.spec) === canonicalJson(spec) &&
    current.template.image.digest === image.digest
  if (same) return { ...common, action: 'unchanged', revision: current.revision, changes: [] }
  const before = current && { ...current, digest: current.template.image.digest }
  const changes = serviceChanges(before ?? null, { spec, source, digest: image.digest })
  const revision = changeRevision(tx, { key, spec, source, template, actor: tx.actor, cause: 'applied' })
  return { ...common, action: current ? 'update' : 'create', revision: revision.revision, changes }
}

function prune(tx: Transaction, { services, externals }: Admitted): ObjectChange[] {
  const kept = new Set(services.map(({ key }) => key))
  const environments = new Set([...services, ...externals].map(({ spec }) => spec.environment))
  const changes: ObjectChange[] = []
  for (const service of Array.from(tx.services.values())) {
    if (kept.has(service.key) || service.deleting || !environments.has(service.environment)) continue
    markDeleted(tx, service.key, 'pruned: not among the documents that were applied')
    const { name, environment, revision } = service
    changes.push({ kind: 'Service', name, environment, action: 'delete', revision, changes: [], warnings: [] })
  }
  changes.push(...pruneExternals(tx, externals, environments))
  return changes
}

/** Has the service stopped and then removed. Throws `not-found`. */
export function markDeleted(tx: Transaction, key: ServiceKey, reason: string): void {
  const service = tx.services.get(key)
  if (!service) throw new BulkheadError('not-found', `there is no service ${key}`, 'see `bulkhead get services`')
  if (service.deleting) return
  tx.putService({ ...service, deleting: true })
  tx.event({ kind: 'Service', subject: key, action: 'deleting', reason })
}

/** The services that changed and that the registered nodes can never hold, each with the reason. */
export function findWhatNeverFits(
  tx: Transaction,
  { services }: Admitted,
  changes: readonly ObjectChange[],
  portRange: PortRange,
): { readonly service: AdmittedService; readonly reason: string }[] {
  const unchanged = new Set(
    changes.flatMap(({ kind, name, environment, action }) =>
      kind === 'Service' && action === 'unchanged' ? [serviceKey(environment ?? '', name)] : [],
    ),
  )
  return services.flatMap((service) => {
    const record = tx.services.get(service.key)
    const revision = record && tx.revisionOf(service.key, record.revision)
    if (!revision || unchanged.has(service.key)) return []
    const reason =
      neverFits(tx, service.key, revision, portRange) ?? secondSetNeverFits(tx, service.key, portRange)
    return reason === null ? [] : [{ service, reason }]
  })
}

function refuseWhatNeverFits(
  tx: Transaction,
  admitted: Admitted,
  changes: readonly ObjectChange[],
  portRange: PortRange,
): void {
  const problems = findWhatNeverFits(tx, admitted, changes, portRange).map(({ service, reason }) => ({
    document: service.document,
    path: '',
    message: `service ${service.key} can never fit: ${reason}`,
  }))
  const [first] = problems
  if (!first) return
  throw new BulkheadError(
    'never-fits',
    first.message,
    'add nodes, relax the placement or use another update strategy; to accept it as pending, apply with --allow-pending',
    problems,
  )
}
