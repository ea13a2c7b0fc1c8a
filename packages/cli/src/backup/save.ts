import { existsSync } from 'node:fs'
import { link, open, rm } from 'node:fs/promises'

import { BulkheadError } from '@bulkhead/shared/client'

import { checkBackup } from './check.ts'

const privateMode = 0o600

function exists(file: string): BulkheadError {
  return new BulkheadError('conflict', `${file}: it exists already`, 'choose another name')
}

/**
 * Writes what the control plane sends to a new file. It gets its name only once it is whole, checked and
 * synced. Returns its size. Throws BulkheadError `conflict` when the file exists.
 */
export async function saveBackup(file: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
  if (existsSync(file)) throw exists(file)
  const partial = `${file}.${process.pid}.partial`
  const handle = await open(partial, 'wx', privateMode).catch((error: Error) => {
    throw new BulkheadError('bad-usage', `${file}: ${error.message}`, 'choose another place')
  })
  try {
    let length = 0
    try {
      for await (const chunk of bytes) {
        await handle.writeFile(chunk)
        length += chunk.length
      }
      await handle.sync()
    } finally {
      await handle.close()
    }
    checkBackup(partial, file)
    await link(partial, file)
    return length
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw exists(file)
    throw error
  } finally {
    await rm(partial, { force: true })
  }
}
