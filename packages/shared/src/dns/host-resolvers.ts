import { readFile, stat } from 'node:fs/promises'

import type { Clock } from '../clock.ts'
import { parseResolvConf, type Resolvers } from './core/resolv-conf.ts'

/** Whether the file has changed is looked at most this often. */
const lookAgainMs = 1000
const noResolvers: Resolvers = { servers: [], timeoutMs: 1000, attempts: 1 }

/** The resolvers of this host, read again when the file has changed. */
export function hostResolvers(
  clock: Clock,
  /** Addresses that we answer on ourselves. */
  own: () => ReadonlySet<string>,
  file: string,
): () => Promise<Resolvers> {
  let lookedMs = -Infinity
  let looking: Promise<void> = Promise.resolve()
  let seen = ''
  let text: string | null = null
  const look = async (): Promise<void> => {
    try {
      const { mtimeMs, ino, size } = await stat(file)
      const now = `${mtimeMs} ${ino} ${size}`
      if (now === seen) return
      text = await readFile(file, 'utf8')
      seen = now
    } catch {
      // The last good one has to do.
    }
  }
  return async () => {
    const nowMs = clock.monotonicMs()
    if (nowMs >= lookedMs + lookAgainMs) {
      lookedMs = nowMs
      looking = look()
    }
    // Who comes while somebody looks waits for it, too.
    await looking
    return text === null ? noResolvers : parseResolvConf(text, own())
  }
}
