/** A machine that was able for less than this could not yet do what it had been kept from. */
const recoversMs = 6000
/** Something happens on every machine more often than this: what was unable at both ends was so all the time. */
const momentMs = 250

/** When a machine was last unable to act on its containers: no agent, nothing that runs, or an engine that is down. */
export class Ability {
  #unableFromMs = Infinity
  #unableUntilMs = -Infinity

  note(isAble: boolean, nowMs: number): void {
    if (isAble) return
    if (nowMs - this.#unableUntilMs > momentMs) this.#unableFromMs = nowMs
    this.#unableUntilMs = nowMs
  }

  /** Whether it became unable before `atMs` and has not been able for long since. */
  isUnableSinceBefore(atMs: number, nowMs: number): boolean {
    return this.#unableFromMs < atMs && atMs <= this.#unableUntilMs + recoversMs && nowMs - this.#unableUntilMs <= recoversMs
  }
}
