import type { Clock, Timer } from '@bulkhead/shared'

import type { Host } from './host.ts'
import type { Schedule } from './schedule.ts'

/** Timers are late by up to this much on a machine of normal speed. */
const timerLatenessMs = 1.5

/** One life of a program on a host. When it is killed, nothing that it waits for ever happens. */
export class Process {
  readonly name: string
  readonly host: Host
  readonly #schedule: Schedule
  readonly #deaths: (() => void)[] = []
  readonly #timerLabel: string
  #alive = true
  #timers = 0

  constructor(name: string, host: Host, schedule: Schedule) {
    this.name = name
    this.host = host
    this.#schedule = schedule
    this.#timerLabel = `${name} timer`
  }

  get alive(): boolean {
    return this.#alive && this.host.up
  }

  /** Timers that are set. */
  get timers(): number {
    return this.#timers
  }

  readonly clock: Clock = {
    nowMs: () => this.host.nowMs(),
    monotonicMs: () => this.host.monotonicMs(),
    after: (delayMs, run) => this.#timer(delayMs, run),
  }

  kill(): void {
    if (!this.#alive) return
    this.#alive = false
    for (const onDeath of this.#deaths) onDeath()
  }

  onDeath(run: () => void): void {
    this.#deaths.push(run)
  }

  /** Runs in this process after `delayMs`; later when its machine is suspended by then, never when it is dead. */
  after(delayMs: number, label: string, run: () => void): { cancel: () => void } {
    let item = this.#schedule.after(delayMs, label, () => attempt())
    let parked: number | undefined
    const attempt = (): void => {
      if (!this.alive) return
      if (this.host.suspendedUntilMs > this.#schedule.nowMs) {
        // Suspended again, it stays before what has come since.
        item = this.#schedule.at(this.host.suspendedUntilMs, label, attempt, parked)
        parked = item.order
        return
      }
      run()
    }
    return {
      cancel: () => {
        item.cancelled = true
      },
    }
  }

  /** Runs in this process now, or when its machine is no longer suspended; never when it is dead. */
  now(label: string, run: () => void): void {
    if (this.host.suspendedUntilMs > this.#schedule.nowMs) this.after(0, label, run)
    else if (this.alive) run()
  }

  /** Something outside of the process does `work` after `outMs`, dead or alive, and `backMs` later it is told. */
  ask<T>(label: string, outMs: number, work: () => T, backMs: number): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#schedule.after(outMs, label, () => {
        let answer: () => void
        try {
          const value = work()
          answer = () => resolve(value)
        } catch (error) {
          answer = () => reject(error)
        }
        this.after(backMs, `${label} answered`, answer)
      })
    })
  }

  #timer(delayMs: number, run: () => void): Timer {
    this.#timers += 1
    let isSet = true
    const unset = (): void => {
      if (isSet) this.#timers -= 1
      isSet = false
    }
    const lateMs = this.host.takesMs(0, timerLatenessMs)
    const handle = this.after(Math.max(delayMs, 1) + lateMs, this.#timerLabel, () => {
      unset()
      run()
    })
    return {
      cancel: () => {
        unset()
        handle.cancel()
      },
    }
  }
}
