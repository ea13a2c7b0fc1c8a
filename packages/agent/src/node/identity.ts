import { access } from 'node:fs/promises'
import { join } from 'node:path'

import { BulkheadError } from '@bulkhead/shared'
import { Compile } from 'typebox/schema'
import { stringify } from 'yaml'

import { replaceFile } from '../journal/storage.ts'
import { Identity } from './schema.ts'
import { readYaml } from './settings.ts'

const validator = Compile(Identity)

const pathIn = (data: string): string => join(data, 'agent.yaml')

/** Who the agent of this data directory is; null before it has joined. */
export async function readIdentity(data: string): Promise<Identity | null> {
  const path = pathIn(data)
  const exists = await access(path).then(
    () => true,
    () => false,
  )
  if (!exists) return null
  const value = await readYaml(path)
  if (validator.Check(value)) return value
  throw new BulkheadError(
    'bad-usage',
    `${path} is not what an agent has written there`,
    'restore it, or remove it and join again with --server and --token',
  )
}

/** Readable by its owner only: it has the node's token. */
export async function writeIdentity(data: string, identity: Identity): Promise<void> {
  const path = pathIn(data)
  try {
    await replaceFile(path, stringify(identity))
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new BulkheadError('bad-usage', `${path} cannot be written: ${why}`, 'make room there, or let the agent write')
  }
}
