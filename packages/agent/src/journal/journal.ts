import type { Clock } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { decodeJournal, encodeEntry, encodeHeader, type Entry } from './format.ts'
import type { JournalStorage } from './storage.ts'

export interface JournalDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly storage: JournalStorage
}

/** Changes that come within this time are written together. */
const batchMs = 5
const retryMs = 1000
/** The file is rewritten when it has grown by this much, or by twice what is in it, whichever is more. */
const slackBytes = 1024 * 1024

/**
 * Values under keys, on disk. Changes are in memory at once and in the file a few milliseconds later; a change put
 * with `sync` is then also safe from power failures. Values are never changed after they were put.
 */
export class Journal {
  readonly #deps: JournalDeps
  readonly #live = new Map<string, string>()
  #pending = new Map<string, string>()
  #syncWanted = false
  #liveBytes = 0
  #appendedBytes = 0
  /** What is in the file ends with a whole line, so that another one may follow it. */
  #isWhole = false
  #scheduled = false
  #closed = false
  #tail: Promise<void> = Promise.resolve()

  constructor(deps: JournalDeps) {
    this.#deps = deps
  }

  /**
   * Reads what is there. A damaged journal is set aside and the agent begins with an empty one. On a disk that is
   * full it begins all the same, and writes when there is room.
   */
  async load(): Promise<readonly Entry[]> {
    const { storage, logger } = this.#deps
    const data = await storage.read()
    const decoded = data === null ? null : decodeJournal(data)
    if (decoded?.kind === 'damaged') {
      const movedTo = await storage.setAside(`damaged-${this.#deps.clock.nowMs()}`)
      logger.error(
        { movedTo, reason: decoded.reason },
        'the journal is damaged and was set aside; it is built anew from containers and the control plane',
      )
    }
    if (decoded && decoded.kind !== 'damaged') this.#take(decoded.entries)
    await this.#write()
    return [...this.#live].map(([key, text]) => ({ key, value: valueOf(text) }))
  }

  put(key: string, value: unknown, options: { readonly sync?: boolean } = {}): void {
    const line = encodeEntry({ key, value })
    if (this.#closed) return
    if ((this.#pending.get(key) ?? this.#live.get(key)) === line) return
    this.#pending.set(key, line)
    this.#syncWanted ||= options.sync ?? false
    this.#schedule(batchMs)
  }

  delete(key: string): void {
    this.put(key, null)
  }

  /** Resolves when everything that was put before is in the file, or could not be written. */
  async flush(): Promise<void> {
    this.#tail = this.#tail.then(() => this.#write())
    await this.#tail
  }

  /** What is put after this is dropped: the file may be somebody else's by then. */
  async close(): Promise<void> {
    this.#closed = true
    await this.flush()
    await this.#deps.storage.close()
  }

  #take(entries: readonly Entry[]): void {
    for (const entry of entries) this.#keep(entry.key, encodeEntry(entry))
  }

  #keep(key: string, line: string): void {
    if (isDeletion(line)) this.#live.delete(key)
    else this.#live.set(key, line)
  }

  #schedule(delayMs: number): void {
    if (this.#scheduled) return
    this.#scheduled = true
    this.#deps.clock.after(delayMs, () => {
      this.#scheduled = false
      void this.flush()
    })
  }

  async #write(): Promise<void> {
    if (this.#pending.size === 0 && this.#isWhole) return
    const batch = this.#pending
    const sync = this.#syncWanted
    this.#pending = new Map()
    this.#syncWanted = false
    try {
      if (this.#isWhole) await this.#append(batch, sync)
      for (const [key, line] of batch) this.#keep(key, line)
      const isLong = this.#appendedBytes > Math.max(slackBytes, 2 * this.#liveBytes)
      if (isLong || !this.#isWhole) await this.#rewrite()
    } catch (error) {
      this.#deps.logger.error({ err: error }, 'the journal cannot be written; trying again')
      for (const [key, line] of batch) this.#keep(key, line)
      this.#isWhole = false
      await this.#rewrite().catch(() => this.#schedule(retryMs))
    }
  }

  async #append(batch: ReadonlyMap<string, string>, sync: boolean): Promise<void> {
    const data = Buffer.from([...batch.values()].join(''))
    await this.#deps.storage.append(data, sync)
    this.#appendedBytes += data.length
  }

  async #rewrite(): Promise<void> {
    const data = Buffer.from(encodeHeader() + [...this.#live.values()].join(''))
    await this.#deps.storage.replace(data)
    this.#liveBytes = data.length
    this.#appendedBytes = 0
    this.#isWhole = true
  }
}

const isDeletion = (line: string): boolean => line.endsWith(',null]\n')
const valueOf = (line: string): unknown => (JSON.parse(line.slice(9)) as [string, unknown])[1]
