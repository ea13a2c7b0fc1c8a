import { BulkheadError } from '@bulkhead/shared/client'
import type { CommanderError } from 'commander'

/** An error of the parser in our words: `COMMAND: why; what to do`. */
export function usageError(error: CommanderError, path: string): BulkheadError {
  const [first = '', suggestion = ''] = error.message.split('\n')
  const why = first
    .replace(/^error: /, '')
    .replace('. It must', ': it must')
    .replace(/\.$/, '')
  const near = /\(Did you mean (.*)\?\)/.exec(suggestion)?.[1]
  const hint = near === undefined ? '' : `did you mean ${near}? `
  const command = path === '' ? 'bulkhead' : `bulkhead ${path}`
  const message = `${path === '' ? 'bulkhead' : path}: ${why}`
  return new BulkheadError('bad-usage', message, `${hint}see ${command} --help`)
}
