/** The packet filter of this machine, as far as one table of it goes. */
export interface Kernel {
  /** What `nft -j list table` says of the table; null: there is none. Throws when it cannot be asked. */
  list(table: string): Promise<unknown>
  /** Runs a script as one transaction: all of it, or nothing. Throws with what nft says. */
  run(script: string): Promise<void>
}
