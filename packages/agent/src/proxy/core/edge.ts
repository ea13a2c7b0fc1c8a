import { type Exposure, splitServiceKey } from '@bulkhead/shared'

import type { Certificate, Frontend, Mode, Route } from './config.ts'

/** A port that the edge offers to the outside, and the backend behind it. */
export interface Exposed extends Exposure {
  readonly service: string
  readonly mode: Mode
  readonly backend: string
}

/** Digests of the certificates that the node has, by `ENVIRONMENT/SECRET`; the reason where one cannot be used. */
export type Certificates = ReadonlyMap<string, { digest: string } | { problem: string }>

interface Edge {
  readonly frontends: readonly Frontend[]
  readonly problems: readonly string[]
}

/**
 * One frontend per port of the edge and address. What contradicts an exposure that comes before it in the order of
 * services, or lacks its certificate, is left out: never is something offered without TLS that asks for it.
 */
export function edgeFrontends(
  exposed: readonly Exposed[],
  addresses: readonly string[],
  certificates: Certificates,
): Edge {
  const problems: string[] = []
  const byPort = Map.groupBy(exposed, ({ listen }) => listen)
  const frontends = [...byPort]
    .toSorted(([a], [b]) => a - b)
    .flatMap(([listen, all]) => {
      const usable = all.filter((exposure) => hasCertificate(exposure, certificates, problems))
      const fitting = withoutContradictions(usable, problems)
      return addresses.map((address) => frontend(listen, address, fitting, certificates))
    })
    .filter((made) => made !== null)
  return { frontends, problems }
}

const secretKey = ({ service, tlsSecret }: Exposed): string =>
  `${splitServiceKey(service).environment}/${tlsSecret ?? ''}`

function hasCertificate(exposure: Exposed, known: Certificates, problems: string[]): boolean {
  if (exposure.tlsSecret === null) return true
  const certificate = known.get(secretKey(exposure))
  if (certificate && 'digest' in certificate) return true
  const name = exposure.tlsSecret
  const why = certificate
    ? `the secret ${name} cannot be used: ${certificate.problem}`
    : `there is no secret ${name}: bulkhead secret set ${name} -e ${splitServiceKey(exposure.service).environment}`
  problems.push(`${exposure.service} is not exposed on port ${exposure.listen}: ${why}`)
  return false
}

function withoutContradictions(all: readonly Exposed[], problems: string[]): Exposed[] {
  const taken: Exposed[] = []
  for (const exposure of all) {
    const other = taken.find((before) => contradicts(before, exposure))
    if (!other) taken.push(exposure)
    else {
      problems.push(
        `${exposure.service} is not exposed on port ${exposure.listen}: ${other.service} is there ` +
          conflict(other, exposure),
      )
    }
  }
  return taken
}

const contradicts = (a: Exposed, b: Exposed): boolean =>
  a.mode === 'tcp' ||
  b.mode === 'tcp' ||
  (a.tlsSecret === null) !== (b.tlsSecret === null) ||
  (a.host === b.host && a.path === b.path)

function conflict(other: Exposed, exposure: Exposed): string {
  if (other.mode === 'tcp' || exposure.mode === 'tcp')
    return 'and a port in mode tcp has one service'
  if ((other.tlsSecret === null) !== (exposure.tlsSecret === null)) {
    return other.tlsSecret === null ? 'without TLS' : 'with TLS'
  }
  return 'for the same host and path'
}

function frontend(
  listen: number,
  address: string,
  exposed: readonly Exposed[],
  certificates: Certificates,
): Frontend | null {
  const [first] = exposed
  if (!first) return null
  const isTcp = first.mode === 'tcp'
  return {
    name: `edge.${listen}.${address.replaceAll(':', '-')}`,
    mode: first.mode,
    address,
    port: listen,
    isEdge: true,
    tls: first.tlsSecret === null ? null : certificatesOf(exposed, certificates),
    routes: isTcp ? [] : routesOf(exposed),
    backend: isTcp ? first.backend : null,
  }
}

/** The most particular first: a host before any host, a longer path before a shorter one. */
function routesOf(exposed: readonly Exposed[]): Route[] {
  return exposed
    .map(({ host, path, backend }) => ({ host, path, backend }))
    .toSorted(
      (a, b) =>
        Number(a.host === null) - Number(b.host === null) ||
        b.path.length - a.path.length ||
        (`${a.host} ${a.path}` < `${b.host} ${b.path}` ? -1 : 1),
    )
}

/** The first one is for clients that name no host, or one that is nobody's. */
function certificatesOf(exposed: readonly Exposed[], known: Certificates): Certificate[] {
  const anyHostFirst = exposed.toSorted((a, b) => Number(a.host !== null) - Number(b.host !== null))
  const bySecret = Map.groupBy(anyHostFirst, secretKey)
  return [...bySecret].map(([secret, of]) => {
    const certificate = known.get(secret)
    const digest = certificate && 'digest' in certificate ? certificate.digest : ''
    const hosts = of.flatMap(({ host }) => (host === null ? [] : [host]))
    return { secret, digest, hosts: [...new Set(hosts)].toSorted() }
  })
}
