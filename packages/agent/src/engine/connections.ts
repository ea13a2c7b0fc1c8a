import { readFile } from 'node:fs/promises'

/** As the kernel numbers them: established, and about to be. */
const openStates = new Set(['01', '03'])

/** Open connections to the ports in a table of the kernel's, `/proc/PID/net/tcp` or `tcp6`. */
export function countConnections(table: string, ports: readonly number[]): number {
  const wanted = new Set(ports.map((port) => port.toString(16).toUpperCase().padStart(4, '0')))
  let count = 0
  for (const line of table.split('\n').slice(1)) {
    const [, local = '', , state = ''] = line.trim().split(/\s+/)
    if (openStates.has(state) && wanted.has(local.slice(local.lastIndexOf(':') + 1))) count += 1
  }
  return count
}

/**
 * Open TCP connections to the ports in the network of the container whose first process is `pid`. Null when that
 * cannot be told: the process is not visible here, or is not the container's.
 */
export async function connectionsOf(
  containerId: string,
  pid: number,
  ports: readonly number[],
): Promise<number | null> {
  try {
    const groups = await readFile(`/proc/${pid}/cgroup`, 'utf8')
    if (!groups.includes(containerId)) return null
    const tables = await Promise.all([
      readFile(`/proc/${pid}/net/tcp`, 'utf8'),
      readFile(`/proc/${pid}/net/tcp6`, 'utf8').catch(() => ''),
    ])
    return tables.reduce((sum, table) => sum + countConnections(table, ports), 0)
  } catch {
    return null
  }
}
