import { defaultMode } from '../normalise.ts'
import { pointerTo } from '../pointer.ts'
import type { ServiceSource } from '../source.ts'
import type { Problem } from './problem.ts'
import { hint, shownText } from './shown.ts'

type PortSource = NonNullable<ServiceSource['ports']>[string]
type ProbeSource = NonNullable<NonNullable<ServiceSource['health']>['liveness']>

const protocolOf = (port: PortSource): string =>
  typeof port === 'number' ? 'tcp' : (port.protocol ?? 'tcp')

function* portUse(path: string, name: string, { ports = {} }: ServiceSource): Iterable<Problem> {
  const port = Object.hasOwn(ports, name) ? ports[name] : undefined
  if (port === undefined) {
    const known = Object.keys(ports)
    yield { path, message: `there is no port ${shownText(name)} in ports${hint(name, known)}` }
  } else if (protocolOf(port) !== 'tcp') {
    yield { path, message: `port ${shownText(name)} is not a TCP port` }
  }
}

function* duplicate(seen: Set<string>, path: string, key: string, message: string) {
  if (seen.has(key)) yield { path, message }
  seen.add(key)
}

/** No two names for one port of the container or of the host. */
export function* portProblems({ ports = {} }: ServiceSource): Iterable<Problem> {
  const seen = new Set<string>()
  for (const [name, port] of Object.entries(ports)) {
    const protocol = protocolOf(port)
    const number = typeof port === 'number' ? port : port.port
    const at = pointerTo('ports', name, ...(typeof port === 'number' ? [] : ['port']))
    const twice = `port ${number}/${protocol} is declared more than once`
    yield* duplicate(seen, at, `${number}/${protocol}`, twice)
    const host = typeof port === 'number' ? undefined : port.host
    if (host === undefined) continue
    const hostTwice = `host port ${host}/${protocol} is declared more than once`
    yield* duplicate(seen, pointerTo('ports', name, 'host'), `host ${host}/${protocol}`, hostTwice)
  }
}

function* probeProblems(
  path: string,
  probe: ProbeSource,
  source: ServiceSource,
): Iterable<Problem> {
  const checks = (['http', 'tcp', 'exec'] as const).filter((kind) => probe[kind] !== undefined)
  if (checks.length !== 1) {
    const found = checks.length === 0 ? 'none' : checks.join(' and ')
    yield { path, message: `a probe has exactly one of http, tcp and exec; found ${found}` }
  }
  if (probe.http) yield* portUse(`${path}/http/port`, probe.http.port, source)
  if (probe.tcp) yield* portUse(`${path}/tcp/port`, probe.tcp.port, source)
}

/** Each probe checks one thing, on a port that there is. */
export function* healthProblems(source: ServiceSource): Iterable<Problem> {
  for (const [name, probe] of Object.entries(source.health ?? {})) {
    yield* probeProblems(pointerTo('health', name), probe, source)
  }
}

/** How a port is offered fits what it is. */
export function* offerProblems({ ports = {}, health }: ServiceSource): Iterable<Problem> {
  for (const [name, port] of Object.entries(ports)) {
    if (typeof port === 'number') continue
    const { protocol = 'tcp', mode, clientAddress } = port
    if (protocol === 'udp' && (mode !== undefined || clientAddress !== undefined)) {
      const message = 'mode and clientAddress are for TCP ports: UDP goes to instances directly'
      yield { path: pointerTo('ports', name), message }
      continue
    }
    const isHttp = (mode ?? defaultMode(name, protocol, health)) === 'http'
    if (clientAddress === 'header' && !isHttp) {
      const message = 'clientAddress header needs mode http; use proxy, or mode: http'
      yield { path: pointerTo('ports', name, 'clientAddress'), message }
    }
  }
}

type ExposureSource = NonNullable<ServiceSource['expose']>[number]

function isExposedByHttp({ port }: ExposureSource, { ports = {}, health }: ServiceSource): boolean {
  const offered = Object.hasOwn(ports, port) ? ports[port] : undefined
  const mode = typeof offered === 'object' ? offered.mode : undefined
  return (mode ?? defaultMode(port, 'tcp', health)) === 'http'
}

/** What is exposed exists, and nothing else of the service listens in the same place. */
export function* exposeProblems(source: ServiceSource): Iterable<Problem> {
  const seen = new Set<string>()
  const firstOn = new Map<number, ExposureSource>()
  for (const [index, exposure] of (source.expose ?? []).entries()) {
    const { port, listen, host = '', path: prefix = '/', tls } = exposure
    const path = pointerTo('expose', index)
    yield* portUse(`${path}/port`, port, source)
    const where = `${host}${prefix === '/' ? '' : prefix}`
    const place = where === '' ? `${listen}` : `${listen} for ${where}`
    if (seen.has(place)) {
      yield { path, message: `${place} is exposed more than once` }
      continue
    }
    seen.add(place)
    const first = firstOn.get(listen) ?? exposure
    firstOn.set(listen, first)
    if ((first.tls === undefined) !== (tls === undefined)) {
      yield { path, message: `${listen} is exposed both with and without TLS` }
    }
    if (!Object.hasOwn(source.ports ?? {}, port) || isExposedByHttp(exposure, source)) continue
    if (where !== '') {
      yield {
        path,
        message: `host and path need mode http, which port ${shownText(port)} is not in`,
      }
    } else if (first !== exposure) {
      yield { path, message: `a port in mode tcp has ${listen} for itself` }
    }
  }
}
