import { BulkheadError, type ErrorCode } from '@bulkhead/shared'

import { StoreConflict, StoreFull, StoreUnusable } from '../../store.ts'
import type { EncodedBatch } from '../encoded-batch.ts'

/** What the thread is asked to do; each is answered once, under its number. */
export type Request =
  | { readonly kind: 'commit'; readonly batch: EncodedBatch }
  | { readonly kind: 'prune-events'; readonly keep: number }
  | { readonly kind: 'backup'; readonly file: string }
  | { readonly kind: 'close' }

export interface NumberedRequest {
  readonly number: number
  readonly request: Request
}

export type Reply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'not-opened'; readonly error: SentError }
  | { readonly kind: 'done'; readonly number: number; readonly value: number }
  | { readonly kind: 'failed'; readonly number: number; readonly error: SentError }
  /** Something that fails no request. */
  | { readonly kind: 'problem'; readonly error: SentError }

/** An error on its way between threads, which would keep its text but not its class. */
export interface SentError {
  readonly type: 'full' | 'conflict' | 'unusable' | 'other'
  readonly message: string
  readonly stack: string
  /** Of a BulkheadError. */
  readonly code: ErrorCode | null
  readonly advice: string
}

export function packError(error: unknown): SentError {
  const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
  const known = error instanceof BulkheadError ? error : null
  return {
    type: typeOf(error),
    message,
    stack,
    code: known?.code ?? null,
    advice: known?.advice ?? '',
  }
}

function typeOf(error: unknown): SentError['type'] {
  if (error instanceof StoreFull) return 'full'
  if (error instanceof StoreConflict) return 'conflict'
  return error instanceof StoreUnusable ? 'unusable' : 'other'
}

const makers: Readonly<Record<SentError['type'], (message: string) => Error>> = {
  full: (message) => new StoreFull(message),
  conflict: (message) => new StoreConflict(message),
  unusable: (message) => new StoreUnusable(message),
  other: (message) => new Error(message),
}

export function unpackError({ type, message, stack, code, advice }: SentError): Error {
  if (code !== null) return new BulkheadError(code, message, advice)
  const error = makers[type](message)
  if (stack !== '') error.stack = stack
  return error
}
