/** One thing that is wrong in one document. */
export interface Problem {
  /** JSON pointer to the offending key or value, `` for the document. */
  readonly path: string
  readonly message: string
  /** Set when it is the key at `path` that is wrong, and not its value. */
  readonly on?: 'key'
}
