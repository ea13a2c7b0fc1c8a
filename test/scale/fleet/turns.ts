/** Changes of health that were reported and have not been seen yet. */
export class Turns {
  readonly #pending = new Map<string, Map<string, { readonly healthy: boolean; readonly atMs: number }>>()
  readonly #timesMs: number[] = []

  begin(service: string, instance: string, healthy: boolean): void {
    let turns = this.#pending.get(service)
    if (!turns) this.#pending.set(service, (turns = new Map()))
    turns.set(instance, { healthy, atMs: performance.now() })
  }

  /** A reader of the service's endpoints sees these instances. */
  seen(service: string, serving: ReadonlySet<string>): void {
    const turns = this.#pending.get(service)
    if (!turns) return
    const nowMs = performance.now()
    for (const [instance, { healthy, atMs }] of turns) {
      if (serving.has(instance) !== healthy) continue
      this.#timesMs.push(nowMs - atMs)
      turns.delete(instance)
    }
  }

  isPending(service: string, instance: string): boolean {
    return this.#pending.get(service)?.has(instance) ?? false
  }

  take(): readonly number[] {
    return this.#timesMs.splice(0)
  }
}
