/**
 * The one catalogue of errors that reach people: code, HTTP status, exit code. docs/errors.md is held equal to
 * it by a test. The message says what and why, `advice` what to do next.
 */
export const errorCatalogue = {
  'bad-request': { status: 400, exit: 2, title: 'The request is not well formed' },
  'bad-spec': { status: 422, exit: 2, title: 'A document is not a valid spec' },
  'bad-usage': { status: 400, exit: 2, title: 'The command was not used as it can be' },
  'not-authenticated': { status: 401, exit: 3, title: 'No valid token was presented' },
  'not-allowed': { status: 403, exit: 3, title: 'The token does not permit this' },
  'not-found': { status: 404, exit: 2, title: 'There is no such object' },
  conflict: { status: 409, exit: 3, title: 'The object is not in a state that permits this' },
  'revision-gone': { status: 410, exit: 1, title: 'That revision is no longer kept' },
  'revision-mismatch': { status: 412, exit: 3, title: 'Somebody else changed it meanwhile' },
  'too-large': { status: 413, exit: 2, title: 'The request is larger than is accepted' },
  'image-refused': { status: 422, exit: 3, title: 'The image may not be used in this cluster' },
  'image-unresolved': { status: 422, exit: 3, title: 'The image could not be resolved to a digest' },
  'never-fits': { status: 422, exit: 3, title: 'No set of nodes can ever satisfy this' },
  'policy-refused': { status: 403, exit: 3, title: 'A policy forbids this' },
  'too-many-requests': { status: 429, exit: 3, title: 'More requests than are accepted' },
  'timed-out': { status: 504, exit: 1, title: 'It did not come true in time' },
  'did-not-happen': { status: 409, exit: 1, title: 'The thing asked for did not come true' },
  'store-failed': { status: 503, exit: 4, title: 'The store cannot take writes' },
  'agent-unreachable': { status: 503, exit: 4, title: 'The node of the instance is not connected' },
  unreachable: { status: 503, exit: 4, title: 'The server cannot be reached' },
  internal: { status: 500, exit: 1, title: 'A fault of Bulkhead itself' },
} as const

export type ErrorCode = keyof typeof errorCatalogue

/** One thing that is wrong in one of the documents that were sent. */
export interface DocumentProblem {
  /** Index into the documents of the request. */
  readonly document: number
  /** JSON pointer to the offending value or key, `` for the document. */
  readonly path: string
  readonly message: string
  /** The problem is the key itself, not its value. */
  readonly on?: 'key'
  /** Index of the document that it clashes with. */
  readonly first?: number
}

/** RFC 9457, with a stable `code`. */
export interface ProblemDetails {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: ErrorCode
  readonly detail: string
  readonly advice: string
  readonly problems?: readonly DocumentProblem[]
}

/** An error that people are meant to read. Everything else that is thrown is a bug. */
export class BulkheadError extends Error {
  readonly code: ErrorCode
  readonly advice: string
  readonly problems: readonly DocumentProblem[]

  constructor(
    code: ErrorCode,
    message: string,
    advice = '',
    problems: readonly DocumentProblem[] = [],
  ) {
    super(message)
    this.name = 'BulkheadError'
    this.code = code
    this.advice = advice
    this.problems = problems
  }

  get exitCode(): number {
    return errorCatalogue[this.code].exit
  }

  get status(): number {
    return errorCatalogue[this.code].status
  }
}
