import { existsSync } from 'node:fs'
import { resolve } from 'node:path'

import { BulkheadError, systemClock } from '@bulkhead/shared'

import { lockData } from '../node/data-lock.ts'
import { LocalNetworks } from './local-networks.ts'
import { MasterProcess } from './master-process.ts'

export const proxyDirectory = (data: string): string => resolve(data, 'proxy')

/**
 * Ends what an agent leaves running on its machine beside containers: the proxy, and the local networks for it. Throws
 * `conflict` while the agent runs.
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
    await new MasterProcess({ clock: systemClock, binary: '' }, proxyDirectory(data)).stop()
    await new LocalNetworks(proxyDirectory(data)).unmakeAll()
  } finally {
    await lock.release()
  }
}
