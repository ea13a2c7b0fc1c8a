import { createServer } from 'node:net'

import { canonicalHash } from '@bulkhead/shared'

import type { NodeIdentity } from '../core/ownership.ts'

/** A socket without a file: whoever listens on it first is the one in this network namespace. */
const mark = '\0bulkhead-network'

/**
 * Family and name of the table for an agent: `inet bulkhead`, but when another agent on this machine has that one, a
 * name of its own. Tables only drop, each for its own bridges and ports, so that several go together.
 */
export async function chooseTable(identity: NodeIdentity): Promise<string> {
  const isFirst = await new Promise<boolean>((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(mark, () => resolve(true))
    // It lasts as long as the process and keeps nothing alive.
    server.unref()
  })
  if (isFirst) return 'inet bulkhead'
  return `inet bulkhead_${canonicalHash([identity.cluster, identity.node]).slice(0, 8)}`
}
