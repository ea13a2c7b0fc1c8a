import type { Batch, Loaded, Store } from '../../src/store/store.ts'

/** A store whose commits the test holds up or fails; everything else goes through. */
export class ControlledStore implements Store {
  readonly batches: Batch[] = []
  readonly pruned: number[] = []
  /** How many commits were tried, failed ones too. */
  tried = 0
  readonly #store: Store
  #failure: Error | null = null
  #full: Error | null = null
  #gate: PromiseWithResolvers<void> | null = null

  constructor(store: Store) {
    this.#store = store
  }

  /** The next commit, and it alone, fails. */
  failNext(error: Error): void {
    this.#failure = error
  }

  /** All commits fail until it is called with null. */
  failAll(error: Error | null): void {
    this.#full = error
  }

  /** Commits wait until `release`. */
  hold(): void {
    this.#gate = Promise.withResolvers<void>()
  }

  release(): void {
    this.#gate?.resolve()
    this.#gate = null
  }

  load(): Promise<Loaded> {
    return this.#store.load()
  }

  async commit(batch: Batch): Promise<void> {
    this.tried += 1
    await this.#gate?.promise
    const failure = this.#failure ?? this.#full
    this.#failure = null
    if (failure) throw failure
    await this.#store.commit(batch)
    this.batches.push(batch)
  }

  pruneEvents(keep: number): Promise<number> {
    this.pruned.push(keep)
    return this.#store.pruneEvents(keep)
  }

  backup(file: string): Promise<void> {
    return this.#store.backup(file)
  }

  close(): Promise<void> {
    return this.#store.close()
  }
}
