/** The packet filter of this machine, as far as one table of it goes. */
export interface Kernel {
  /**
   * What `nft -j list table` says of the table; null: there is none; an empty object: what it says cannot be read.
   * Throws when it cannot be asked.
   */
  list(table: string): Promise<unknown>
  /** Runs a script as one transaction: all of it, or nothing. Throws with what nft says. */
  run(script: string): Promise<void>
  /**
   * Calls back when somebody else has changed the table, or may have. Resolves when `signal` is aborted, and when it
   * cannot go on; it has missed things then.
   */
  follow(table: string, onChange: () => void, signal: AbortSignal): Promise<void>
}
