import { closeSync, openSync, readSync } from 'node:fs'

import { BulkheadError } from '@bulkhead/shared/client'

const headerBytes = 100
const signature = 'SQLite format 3\u0000'
const applicationIdAt = 68
/** `BLKH`: the mark that the control plane's store puts into its file. */
const applicationId = 0x42_4c_4b_48

function headerOf(file: string): Buffer {
  const header = Buffer.alloc(headerBytes)
  const handle = openSync(file, 'r')
  try {
    return header.subarray(0, readSync(handle, header))
  } finally {
    closeSync(handle)
  }
}

function fault(file: string): string | null {
  const header = headerOf(file)
  if (header.length < headerBytes || header.toString('latin1', 0, signature.length) !== signature) {
    return 'it is no database'
  }
  if (header.readUInt32BE(applicationIdAt) !== applicationId) return 'it is not one of Bulkhead'
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const db = new DatabaseSync(file, { readOnly: true })
  try {
    const [verdict] = db.prepare('PRAGMA quick_check(1)').all()
    const text = String(verdict?.['quick_check'])
    return text === 'ok' ? null : `it is damaged: ${text}`
  } finally {
    db.close()
  }
}

/** Throws BulkheadError `bad-usage` when the file is not a whole backup; `name` is how it is called. */
export function checkBackup(file: string, name = file): void {
  let why: string | null
  try {
    why = fault(file)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    why = code === 'ENOENT' ? 'there is no such file' : message
  }
  if (why === null) return
  throw new BulkheadError(
    'bad-usage',
    `backup ${name}: ${why}`,
    'use a file that bulkhead backup made',
  )
}
