import { BulkheadError, type ErrorCode } from '@bulkhead/shared/client'

/** An error about several things: a line for each of them comes before the line of the error itself. */
export class DetailedError extends BulkheadError {
  readonly lines: readonly string[]
  /** For programs: what `-o json` shows as `details`. */
  readonly details: Readonly<Record<string, unknown>>

  constructor(
    code: ErrorCode,
    message: string,
    more: {
      readonly advice?: string
      readonly lines: readonly string[]
      readonly details: Readonly<Record<string, unknown>>
    },
  ) {
    super(code, message, more.advice)
    this.lines = more.lines
    this.details = more.details
  }
}
