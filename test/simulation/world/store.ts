import { MemoryStore } from '../../../packages/controlplane/src/store/memory/memory-store.ts'
import {
  type Batch,
  type Loaded,
  type Store,
  StoreConflict,
  StoreFull,
} from '../../../packages/controlplane/src/store/store.ts'
import type { Process } from './process.ts'

/** The disk that the control plane's store is on: it outlives every control plane. */
export class StoreDisk {
  readonly #memory = new MemoryStore({ maxEventsLoaded: 100 })
  full = false
  /** How much longer than usual a commit takes at most. */
  commitMs = 0
  /** Of the last batch that is on the disk. */
  revision = 0
  batches = 0

  load(): Promise<Loaded> {
    return this.#memory.load()
  }

  /** Takes effect at once, however soon its promise is settled. */
  commit(batch: Batch): void {
    if (this.full) throw new StoreFull('no space left on device')
    if (batch.expected !== this.revision)
      throw new StoreConflict(`at ${this.revision}, not at ${batch.expected}`)
    void this.#memory.commit(batch)
    this.revision = batch.revision
    this.batches += 1
  }

  pruneEvents(keep: number): void {
    void this.#memory.pruneEvents(keep)
  }
}

/** The store as one control plane process has it: a commit that is not acknowledged may be on the disk or not. */
export class ProcessStore implements Store {
  readonly #disk: StoreDisk
  readonly #process: Process

  constructor(disk: StoreDisk, process: Process) {
    this.#disk = disk
    this.#process = process
  }

  load(): Promise<Loaded> {
    return this.#disk.load()
  }

  commit(batch: Batch): Promise<void> {
    const { host } = this.#process
    const takesMs = (): number => host.takesMs(0.2, 5) + host.random.between(0, this.#disk.commitMs) / 2
    return this.#process.ask(
      'store commit',
      takesMs(),
      () => {
        // A write that the process had not handed to the kernel dies with it.
        if (this.#process.alive) this.#disk.commit(batch)
      },
      takesMs(),
    )
  }

  async pruneEvents(keep: number): Promise<number> {
    this.#disk.pruneEvents(keep)
    return 0
  }

  async backup(): Promise<void> {
    throw new Error('backups are not simulated')
  }

  async close(): Promise<void> {}
}
