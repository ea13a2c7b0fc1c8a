/** One process of HAProxy that handles connections, as its master tells. */
export interface WorkerProcess {
  readonly pid: number
  /** Since it was started; all but the one with none end when their connections do. */
  readonly reloads: number
}

/** From the master's answer to `show proc`. */
export function parseProcesses(text: string): WorkerProcess[] {
  return text.split('\n').flatMap((line): WorkerProcess[] => {
    const [pid = '', type, reloads] = line.trim().split(/\s+/)
    if (type !== 'worker' || !/^\d+$/.test(pid)) return []
    return [{ pid: Number(pid), reloads: Number(reloads) }]
  })
}

/** The master's own process id, from its answer to `show proc`; null when it does not tell. */
export function parseMaster(text: string): number | null {
  const pid = /^(\d+)\s+master\s/m.exec(text)?.[1]
  return pid === undefined ? null : Number(pid)
}

export interface WorkerInfo {
  /** What it was started with (see `structureOf`). */
  readonly structure: string
  readonly isStopping: boolean
  /** That are open. */
  readonly connections: number
}

/** From a worker's answer to `show info`; null when it is none. */
export function parseInfo(text: string): WorkerInfo | null {
  const fields = new Map(
    text.split('\n').map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
    }),
  )
  const structure = fields.get('node')
  if (structure === undefined) return null
  const connections = Number(fields.get('currconns') ?? 0)
  return { structure, isStopping: fields.get('stopping') === '1', connections }
}

export interface ReplacedWorker extends WorkerProcess {
  readonly connections: number
}

/**
 * Those that have to end before their connections do, because no more than `most` may be left: the fewest connections
 * are cut, and of equals those that have lasted the longest.
 */
export function excessWorkers(
  replaced: readonly ReplacedWorker[],
  most: number,
): readonly ReplacedWorker[] {
  return replaced
    .toSorted((a, b) => a.connections - b.connections || b.reloads - a.reloads)
    .slice(0, Math.max(replaced.length - most, 0))
}

/** A server as a worker has it. */
export interface ObservedServer {
  readonly backend: string
  readonly name: string
  readonly address: string
  readonly port: number
  readonly weight: number
  readonly isInMaintenance: boolean
  /** Neither in maintenance nor drained: it takes new traffic according to its weight. */
  readonly isReady: boolean
}

const forcedMaintenance = 0x01

/** From a worker's answer to `show servers state`. Throws when it is not of the known form. */
export function parseServers(text: string): ObservedServer[] {
  const lines = text.split('\n').filter((line) => line.trim() !== '')
  const header = lines.find((line) => line.startsWith('# be_id '))
  if (header === undefined) throw new Error(`no state of servers: ${text.slice(0, 200)}`)
  const columns = header.slice(2).split(' ')
  const at = (name: string): number => columns.indexOf(name)
  const places = {
    backend: at('be_name'),
    name: at('srv_name'),
    address: at('srv_addr'),
    admin: at('srv_admin_state'),
    weight: at('srv_uweight'),
    port: at('srv_port'),
  }
  return lines
    .filter((line) => /^\d+ /.test(line))
    .map((line) => {
      const cells = line.split(' ')
      const cell = (name: keyof typeof places): string => cells[places[name]] ?? ''
      const admin = Number(cell('admin'))
      return {
        backend: cell('backend'),
        name: cell('name'),
        address: cell('address'),
        port: Number(cell('port')),
        weight: Number(cell('weight')),
        isInMaintenance: (admin & forcedMaintenance) !== 0,
        isReady: admin === 0,
      }
    })
}
