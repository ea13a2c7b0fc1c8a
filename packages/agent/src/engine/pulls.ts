import type { Clock, Image, RegistryAccess } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { type Engine, EngineError } from './engine.ts'
import { Limiter } from './limiter.ts'

export interface PullsDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly engine: Engine
  /** How far a pull has got, now and then. */
  readonly onProgress: (reference: string, text: string) => void
}

interface Pull {
  readonly promise: Promise<void>
  readonly controller: AbortController
  waiting: number
}

const pullsAtOnce = 3
const progressEveryMs = 1000

/** Fetches images, each once at a time however many instances wait for it. */
export class Pulls {
  readonly #deps: PullsDeps
  readonly #absent = new Set<string>()
  readonly #pulls = new Map<string, Pull>()
  readonly #limiter = new Limiter(pullsAtOnce)
  #registries: readonly RegistryAccess[] = []

  constructor(deps: PullsDeps) {
    this.#deps = deps
  }

  setRegistries(registries: readonly RegistryAccess[]): void {
    this.#registries = registries
  }

  /** The engine said that it lacks the image, and it was not pulled since. */
  isAbsent(reference: string): boolean {
    return this.#absent.has(reference)
  }

  noteImage(reference: string, present: boolean): void {
    if (present) this.#absent.delete(reference)
    else this.#absent.add(reference)
  }

  /** Resolves when the engine has the image. When nobody waits any more, the pull is abandoned. */
  async pull(image: Image, signal: AbortSignal): Promise<void> {
    const pull = this.#pulls.get(image.reference) ?? this.#begin(image)
    pull.waiting += 1
    const { promise: left, reject } = Promise.withResolvers<never>()
    const leave = (): void => reject(new EngineError('unreachable', 'no longer wanted'))
    signal.addEventListener('abort', leave, { once: true })
    try {
      if (signal.aborted) leave()
      await Promise.race([pull.promise, left])
    } finally {
      signal.removeEventListener('abort', leave)
      pull.waiting -= 1
      if (pull.waiting === 0) pull.controller.abort()
    }
  }

  #begin(image: Image): Pull {
    const controller = new AbortController()
    const promise = this.#limiter
      .run(() => this.#fetch(image, controller.signal))
      .finally(() => {
        this.#pulls.delete(image.reference)
      })
    promise.catch(() => {})
    const pull: Pull = { promise, controller, waiting: 0 }
    this.#pulls.set(image.reference, pull)
    return pull
  }

  async #fetch(image: Image, signal: AbortSignal): Promise<void> {
    const { clock, engine, logger, onProgress } = this.#deps
    const { reference } = image
    const host = reference.split('/')[0] ?? ''
    const access = this.#registries.find((registry) => registry.host === host) ?? null
    logger.info({ image: image.name, reference }, 'pulling')
    let saidMs = clock.monotonicMs()
    const say = (text: string): void => {
      if (clock.monotonicMs() < saidMs + progressEveryMs) return
      saidMs = clock.monotonicMs()
      onProgress(reference, text)
    }
    await engine.pull(reference, access, say, signal)
    this.#absent.delete(reference)
    logger.info({ image: image.name, reference }, 'pulled')
  }
}
