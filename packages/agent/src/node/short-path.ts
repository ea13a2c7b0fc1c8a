import { closeSync, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** The kernel takes no longer names of sockets. */
const longestPath = 100

/**
 * Hands a name of a socket to `connect` that is short, however long its directory's own is: the directory is reached
 * through an open descriptor.
 */
export async function withShortPath<T>(
  path: string,
  connect: (path: string) => Promise<T>,
): Promise<T> {
  if (path.length <= longestPath) return connect(path)
  const directory = openSync(dirname(path), 'r')
  try {
    return await connect(`/proc/self/fd/${directory}/${basename(path)}`)
  } finally {
    closeSync(directory)
  }
}
