/** One place of the sources, and what it becomes. */
export interface Edit {
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}

/** A deliberate bug. */
export interface Mutation extends Edit {
  /** What the bug is, as a reviewer would say it. */
  readonly name: string
  /** Further places, where one safeguard alone hides the lack of another. */
  readonly also?: readonly Edit[]
}
