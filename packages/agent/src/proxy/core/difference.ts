import { ipFamily } from '@bulkhead/shared'

import type { Backend, ProxyConfig, Server } from './config.ts'
import { serverText } from './text.ts'
import type { ObservedServer } from './worker.ts'

/**
 * Commands that bring the servers of a worker to what is wanted, of the backends that it has; none when it goes by
 * it. What is new comes first, so that no backend is left without servers on the way. A server that is not wanted is
 * put into maintenance: it gets nothing new, its idle connections are closed, and what is under way ends.
 */
export function serverCommands(
  config: ProxyConfig,
  observed: readonly ObservedServer[],
): readonly string[] {
  const byBackend = Map.groupBy(observed, ({ backend }) => backend)
  const commands = config.backends.map((backend) =>
    backendCommands(backend, byBackend.get(backend.name) ?? []),
  )
  return [
    ...commands.flatMap(({ additions }) => additions),
    ...commands.flatMap(({ changes }) => changes),
    ...commands.flatMap(({ withdrawals }) => withdrawals),
  ]
}

interface Commands {
  readonly additions: readonly string[]
  readonly changes: readonly string[]
  readonly withdrawals: readonly string[]
}

function backendCommands(backend: Backend, observed: readonly ObservedServer[]): Commands {
  const known = new Map(observed.map((server) => [server.name, server]))
  const wanted = new Set(backend.servers.map(({ name }) => name))
  const added = backend.servers.filter(({ name }) => !known.has(name))
  const kept = backend.servers.filter(({ name }) => known.has(name))
  const withdrawn = observed.filter((server) => !wanted.has(server.name) && !server.isInMaintenance)
  return {
    additions: added.flatMap((server) => [
      `add server ${backend.name}/${serverText(backend, server)}`,
      `set server ${backend.name}/${server.name} state ready`,
    ]),
    changes: kept.flatMap((server) => changeCommands(backend, server, known.get(server.name))),
    withdrawals: withdrawn.map(({ name }) => `set server ${backend.name}/${name} state maint`),
  }
}

/** Addresses of IPv6 can be written in many ways. */
const sameAddress = (a: string, b: string): boolean =>
  a === b || (ipFamily(a) === 6 && ipFamily(b) === 6 && canonical6(a) === canonical6(b))
const canonical6 = (address: string): string => new URL(`http://[${address}]`).hostname

function changeCommands(backend: Backend, wanted: Server, had: ObservedServer | undefined): string[] {
  if (!had) return []
  const server = `set server ${backend.name}/${wanted.name}`
  const { address, port, weight } = wanted
  const moved = !sameAddress(had.address, address) || had.port !== port
  return [
    ...(moved ? [`${server} addr ${address} port ${port}`] : []),
    ...(had.weight === weight ? [] : [`${server} weight ${weight}`]),
    ...(had.isReady ? [] : [`${server} state ready`]),
  ]
}

/** Servers that a worker can forget as soon as nothing is under way to them. */
export function removableServers(
  config: ProxyConfig,
  observed: readonly ObservedServer[],
): readonly string[] {
  const wanted = new Map(
    config.backends.map(({ name, servers }) => [name, new Set(servers.map((one) => one.name))]),
  )
  return observed
    .filter(({ backend, name, isInMaintenance }) => {
      const of = wanted.get(backend)
      return of !== undefined && !of.has(name) && isInMaintenance
    })
    .map(({ backend, name }) => `del server ${backend}/${name}`)
}

/** Joins commands to one worker into lines that fit into HAProxy's buffer. */
export function commandLines(pid: number, commands: readonly string[], maxLength = 8000): string[] {
  const lines: string[] = []
  let line = ''
  for (const command of commands) {
    const part = `@!${pid} ${command}`
    if (line !== '' && line.length + part.length + 2 > maxLength) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? part : `${line}; ${part}`
  }
  return line === '' ? lines : [...lines, line]
}
