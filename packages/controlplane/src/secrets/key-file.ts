import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs'

import { BulkheadError } from '@bulkhead/shared'

import { type Keys, newKey } from './vault.ts'

/** Reads the keys that seal secrets, outside of the store so that a copy of it alone opens nothing; makes the first. */
export function readKeys(file: string): Keys {
  if (!existsSync(file)) {
    const keys = [newKey()]
    writeKeys(file, keys)
    return keys
  }
  const keys = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Keys[number] => {
      const [id = '', key = ''] = line.split(' ')
      return [id, Buffer.from(key, 'base64')]
    })
  if (keys.length === 0 || keys.some(([, key]) => key.length !== 32)) {
    throw new BulkheadError('bad-usage', `${file} holds no keys of secrets`, 'put back the file that was there')
  }
  return keys
}

/** Replaces the file as a whole; it is on the disk when this returns. */
export function writeKeys(file: string, keys: Keys): void {
  const text = keys.map(([id, key]) => `${id} ${key.toString('base64')}\n`).join('')
  const descriptor = openSync(`${file}.new`, 'w', 0o600)
  try {
    writeSync(descriptor, text)
    fsyncSync(descriptor)
  } finally {
    closeSync(descriptor)
  }
  renameSync(`${file}.new`, file)
}
