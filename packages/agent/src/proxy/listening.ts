import { readdir, readFile, readlink } from 'node:fs/promises'

import { type Listener, parseListeners } from './core/listeners.ts'

/** Every TCP socket of this network namespace that waits for connections. */
export async function readListeners(): Promise<Listener[]> {
  const tables = ['/proc/self/net/tcp', '/proc/self/net/tcp6'].map((path) =>
    readFile(path, 'utf8').catch(() => ''),
  )
  return (await Promise.all(tables)).flatMap(parseListeners)
}

/** Inodes of the sockets that these processes have open. */
export async function socketsOf(pids: readonly number[]): Promise<ReadonlySet<string>> {
  const inodes = new Set<string>()
  for (const pid of pids) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => [])
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '')
      const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1]
      if (inode !== undefined) inodes.add(inode)
    }
  }
  return inodes
}
