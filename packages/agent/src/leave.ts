import { existsSync } from 'node:fs'

import { BulkheadError, systemClock } from '@bulkhead/shared'

import { endNames, namesDirectory } from './dns/process/names-process.ts'
import { lockData } from './node/data-lock.ts'
import { proxyDirectory } from './proxy/directory.ts'
import { LocalNetworks } from './proxy/local-networks.ts'
import { MasterProcess } from './proxy/master-process.ts'

/**
 * Ends what an agent leaves running on its machine beside containers: the name server, the proxy, and the local
 * networks for it. Throws `conflict` while the agent runs.
 */
export async function leaveMachine(data: string): Promise<void> {
  if (!existsSync(data)) {
    throw new BulkheadError(
      'bad-usage',
      `--data ${data}: there is no such directory`,
      'name the data of an agent',
    )
  }
  const lock = await lockData(data)
  try {
    await endNames(systemClock, namesDirectory(data))
    await new MasterProcess({ clock: systemClock, binary: '' }, proxyDirectory(data)).stop()
    await new LocalNetworks(proxyDirectory(data)).unmakeAll()
  } finally {
    await lock.release()
  }
}
