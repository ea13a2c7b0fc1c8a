/** A machine that was able for less than this could not yet do what it had been kept from. */
export const recoversMs = 6000

/** When a machine was last unable to act on its containers: no agent, nothing that runs, or an engine that is down. */
export class Ability {
  #wasAble = true
  #unableFromMs = Infinity
  #unableUntilMs = -Infinity

  /** To be told after every event. */
  note(isAble: boolean, nowMs: number): void {
    if (!isAble && this.#wasAble) this.#unableFromMs = nowMs
    if (!isAble) this.#unableUntilMs = nowMs
    this.#wasAble = isAble
  }

  /** Whether it became unable before `atMs` and has not been able for long since. */
  isUnableSinceBefore(atMs: number, nowMs: number): boolean {
    return this.#unableFromMs < atMs && nowMs - this.#unableUntilMs <= recoversMs
  }
}
