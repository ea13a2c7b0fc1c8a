/** A deliberate bug: one place of the sources, changed. */
export interface Mutation {
  /** What the bug is, as a reviewer would say it. */
  readonly name: string
  readonly file: string
  /** Stands in the file exactly once. */
  readonly find: string
  readonly replace: string
}
