import { BulkheadError } from '@bulkhead/shared'

import type { Logger } from '../logger.ts'
import type { Commit } from './view.ts'

export interface FeedDeps {
  /** The revision that is durable when the feed begins: nothing before it is kept. */
  readonly revision: number
  /** At most so many commits are kept … */
  readonly maxCommits: number
  /** … with at most so many changes in all; the newest commit is always kept. */
  readonly maxChanges: number
  readonly logger: Logger
}

export type Subscriber = (commit: Commit) => void

/**
 * The commits in order, each after it is durable. The newest ones are kept: readers go through them at their own
 * pace and hold nothing; who is slower than what is kept is told so and lists again.
 */
export class Feed {
  readonly #deps: FeedDeps
  readonly #subscribers = new Set<Subscriber>()
  /** Revisions without a gap; `#first` is the index of the oldest that is still kept. */
  #commits: Commit[] = []
  #first = 0
  #changes = 0
  #revision: number

  constructor(deps: FeedDeps) {
    this.#deps = deps
    this.#revision = deps.revision
  }

  /** The last durable revision. */
  get revision(): number {
    return this.#revision
  }

  /** `on` is called once per commit, synchronously and in order, until the signal is aborted. */
  subscribe(on: Subscriber, signal: AbortSignal): void {
    if (signal.aborted) return
    this.#subscribers.add(on)
    signal.addEventListener('abort', () => this.#subscribers.delete(on), { once: true })
  }

  /** All commits after `revision`, or `gone` when some of them are no longer kept or it is none of ours. */
  since(revision: number): readonly Commit[] | 'gone' {
    const behind = this.#revision - revision
    const kept = this.#commits.length - this.#first
    if (behind < 0 || behind > kept) return 'gone'
    return this.#commits.slice(this.#commits.length - behind)
  }

  /**
   * The commits after `fromRevision` that `filter` accepts, then those to come, until the signal is aborted.
   * Throws `revision-gone` when the reader is behind what is kept.
   */
  async *watch(
    fromRevision: number,
    filter: (commit: Commit) => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<Commit, undefined> {
    let at = fromRevision
    while (!signal.aborted) {
      const next = this.#after(at)
      if (next === undefined) {
        await this.#published(signal)
        continue
      }
      at = next.revision
      if (filter(next)) yield next
    }
    return undefined
  }

  /** Called by the state alone, with the next revision. */
  publish(commit: Commit): void {
    this.#revision = commit.revision
    this.#commits.push(commit)
    this.#changes += commit.changes.length
    this.#forget()
    for (const subscriber of this.#subscribers) {
      try {
        subscriber(commit)
      } catch (error) {
        // One reader's bug must not keep the commit from the others, nor from who wrote it.
        this.#deps.logger.error({ err: error, revision: commit.revision }, 'a feed reader failed')
      }
    }
  }

  #after(revision: number): Commit | undefined {
    const behind = this.#revision - revision
    if (behind < 0 || behind > this.#commits.length - this.#first) {
      throw new BulkheadError(
        'revision-gone',
        `Changes after revision ${revision} are no longer kept`,
        'List again and watch from the revision of that list',
      )
    }
    return this.#commits[this.#commits.length - behind]
  }

  #published(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#subscribers.delete(done)
        signal.removeEventListener('abort', done)
        resolve()
      }
      this.#subscribers.add(done)
      signal.addEventListener('abort', done, { once: true })
    })
  }

  #forget(): void {
    const { maxCommits, maxChanges } = this.#deps
    while (
      this.#commits.length - this.#first > 1 &&
      (this.#commits.length - this.#first > maxCommits || this.#changes > maxChanges)
    ) {
      this.#changes -= this.#commits[this.#first]?.changes.length ?? 0
      this.#first++
    }
    // Moving the rest down only once half is gone makes it a constant cost per commit.
    if (this.#first > this.#commits.length / 2) {
      this.#commits = this.#commits.slice(this.#first)
      this.#first = 0
    }
  }
}
