/** The domain that all names of the cluster end in. */
export const domain = 'bulkhead'

/** What a name below the domain stands for. Parts are in lower case. */
export type Name =
  /** Not below the domain: others know of it. */
  | { readonly kind: 'foreign' }
  | { readonly kind: 'domain' }
  | { readonly kind: 'environment'; readonly environment: string }
  | { readonly kind: 'service'; readonly environment: string; readonly service: string }
  /** `INSTANCE.SERVICE.ENV.bulkhead`: where one instance is. */
  | {
      readonly kind: 'instance'
      readonly environment: string
      readonly service: string
      readonly instance: string
    }
  /** `_tcp.SERVICE.ENV.bulkhead`: has names below it, and nothing of its own. */
  | {
      readonly kind: 'protocol'
      readonly environment: string
      readonly service: string
      readonly protocol: 'tcp' | 'udp'
    }
  /** `_PORT._tcp.SERVICE.ENV.bulkhead` */
  | {
      readonly kind: 'port'
      readonly environment: string
      readonly service: string
      readonly protocol: 'tcp' | 'udp'
      readonly port: string
    }
  | { readonly kind: 'none' }

const foreign: Name = { kind: 'foreign' }
const none: Name = { kind: 'none' }
const protocols: Readonly<Record<string, 'tcp' | 'udp'>> = { _tcp: 'tcp', _udp: 'udp' }

/** `text` has no dot at its end; case does not matter. */
export function parseName(text: string): Name {
  const labels = text.toLowerCase().split('.')
  if (labels.pop() !== domain) return foreign
  const [environment, service, first, second, ...others] = labels.toReversed()
  if (environment === undefined) return { kind: 'domain' }
  if (service === undefined) return { kind: 'environment', environment }
  if (first === undefined) return { kind: 'service', environment, service }
  if (others.length > 0) return none
  const protocol = protocols[first]
  if (protocol === undefined) {
    return second === undefined ? { kind: 'instance', environment, service, instance: first } : none
  }
  if (second === undefined) return { kind: 'protocol', environment, service, protocol }
  if (!second.startsWith('_')) return none
  return { kind: 'port', environment, service, protocol, port: second.slice(1) }
}
