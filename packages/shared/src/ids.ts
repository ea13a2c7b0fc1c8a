import { hash } from 'node:crypto'

declare const brand: unique symbol
type Brand<T, Name extends string> = T & { readonly [brand]?: Name }

/** `ENVIRONMENT/NAME`: unique in the cluster. */
export type ServiceKey = Brand<string, 'ServiceKey'>
/** `NAME-SLOT-HASH`: unique in the cluster. */
export type InstanceId = Brand<string, 'InstanceId'>
export type NodeName = Brand<string, 'NodeName'>
export type EnvironmentName = Brand<string, 'EnvironmentName'>
export type ZoneName = Brand<string, 'ZoneName'>

export const serviceKey = (environment: string, name: string): ServiceKey => `${environment}/${name}`

export function splitServiceKey(key: ServiceKey): { environment: EnvironmentName; name: string } {
  const slash = key.indexOf('/')
  return { environment: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** `of` is the service that the reader is in: a plain name means the same environment. */
export function resolveServiceName(reference: string, of: ServiceKey): ServiceKey {
  const dot = reference.indexOf('.')
  if (dot < 0) return serviceKey(splitServiceKey(of).environment, reference)
  return serviceKey(reference.slice(dot + 1), reference.slice(0, dot))
}

const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789'

function digest(text: string): string {
  // One character for each byte: a string is made in half of the time that a buffer takes.
  const bytes = hash('sha256', text, 'binary')
  let out = ''
  for (let index = 0; index < 8; index++) out += alphabet[bytes.charCodeAt(index) % 32]
  return out
}

/**
 * The id of the first instance of a lineage. `serial` counts the placements of the service; `seed` is another one for
 * each process that gives out ids, because one that starts from an older state counts the same serials again.
 */
export function firstInstanceId(
  seed: string,
  service: ServiceKey,
  slot: number,
  serial: number,
): InstanceId {
  return `${splitServiceKey(service).name}-${slot}-${digest(`${seed} ${service} ${slot} ${serial}`)}`
}

/** The id of the instance that replaces `id` on the same node and slot; agent and control plane derive it alike. */
export function successorInstanceId(id: InstanceId): InstanceId {
  return `${id.slice(0, id.lastIndexOf('-'))}-${digest(`after ${id}`)}`
}
