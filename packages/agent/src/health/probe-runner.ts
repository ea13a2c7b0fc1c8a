import type { Clock, HealthSpec, HealthState, Probe, Timer } from '@bulkhead/shared'

import {
  activeProbes,
  fold,
  type HealthView,
  noResults,
  type ProbeKind,
  type ProbeState,
  resumed,
  viewOf,
} from '../core/health.ts'
import {
  afterFailure,
  afterSuccess,
  newSchedule,
  nextProbe,
  type Schedule,
} from '../core/probe-schedule.ts'
import type { Checker, ProbeTarget } from './checker.ts'

export interface ProbeRunnerDeps {
  readonly clock: Clock
  readonly checker: Checker
  /** Called after each result that may change what is thought of the instance. */
  readonly onResult: (instance: string) => void
}

interface Track {
  readonly kind: ProbeKind
  readonly probe: Probe
  schedule: Schedule
  timer: Timer | null
  running: boolean
}

interface Watched {
  readonly spec: HealthSpec
  readonly target: ProbeTarget
  readonly controller: AbortController
  readonly tracks: Map<ProbeKind, Track>
  state: ProbeState
}

/** Runs the probes of all instances. A result that comes after its instance was dropped is dropped with it. */
export class ProbeRunner {
  readonly #deps: ProbeRunnerDeps
  readonly #watched = new Map<string, Watched>()
  #skipped = 0

  constructor(deps: ProbeRunnerDeps) {
    this.#deps = deps
  }

  /** Ticks at which the probe before was still running. */
  get skipped(): number {
    return this.#skipped
  }

  /**
   * Begins to probe, unless it does so already. An instance that was known as healthy, or as unhealthy after it had
   * started, stays what it was until its probes say otherwise.
   */
  ensure(target: ProbeTarget, spec: HealthSpec, known: HealthState): void {
    const before = this.#watched.get(target.instance)
    if (before?.target.containerId === target.containerId) return
    this.drop(target.instance)
    const hasStarted = known === 'healthy' || known === 'unhealthy'
    const watched: Watched = {
      spec,
      target,
      controller: new AbortController(),
      tracks: new Map(),
      state: hasStarted ? resumed(known === 'healthy') : noResults,
    }
    this.#watched.set(target.instance, watched)
    this.#begin(watched, hasStarted)
  }

  drop(instance: string): void {
    const watched = this.#watched.get(instance)
    if (!watched) return
    this.#watched.delete(instance)
    for (const track of watched.tracks.values()) track.timer?.cancel()
    watched.controller.abort()
  }

  /** Null for an instance that is not probed. */
  view(instance: string): HealthView | null {
    const watched = this.#watched.get(instance)
    return watched ? viewOf(watched.spec, watched.state) : null
  }

  close(): void {
    for (const instance of this.#watched.keys()) this.drop(instance)
  }

  #begin(watched: Watched, settled: boolean): void {
    const active = activeProbes(watched.spec, watched.state)
    for (const [kind, track] of watched.tracks) {
      if (active.includes(kind)) continue
      track.timer?.cancel()
      watched.tracks.delete(kind)
    }
    for (const kind of active) {
      const probe = watched.spec[kind]
      if (probe === null || watched.tracks.has(kind)) continue
      // Liveness is not waited for: it is checked at its interval from the beginning.
      const schedule = newSchedule(this.#deps.clock.monotonicMs(), settled || kind === 'liveness')
      const track: Track = { kind, probe, schedule, timer: null, running: false }
      watched.tracks.set(kind, track)
      this.#arm(watched, track)
    }
  }

  #arm(watched: Watched, track: Track): void {
    const { clock } = this.#deps
    const nowMs = clock.monotonicMs()
    const { atMs, schedule } = nextProbe(track.schedule, track.probe, nowMs)
    track.schedule = schedule
    // Rounded up, because timers have whole milliseconds and must not fire before their tick.
    track.timer = clock.after(Math.max(0, Math.ceil(atMs - nowMs)), () => {
      if (track.running) {
        this.#skipped += 1
        this.#arm(watched, track)
        return
      }
      void this.#probe(watched, track)
    })
  }

  async #probe(watched: Watched, track: Track): Promise<void> {
    const { clock, checker } = this.#deps
    const startedMs = clock.monotonicMs()
    track.running = true
    const keepsTime = track.schedule.settled
    if (keepsTime) this.#arm(watched, track)
    const controller = new AbortController()
    const abort = (): void => controller.abort()
    const timer = clock.after(track.probe.timeoutMs, abort)
    watched.controller.signal.addEventListener('abort', abort, { once: true })
    const result = await checker.check(track.probe.check, watched.target, controller.signal)
    timer.cancel()
    watched.controller.signal.removeEventListener('abort', abort)
    track.running = false
    if (watched.controller.signal.aborted) return
    if (result.ok !== null) this.#take(watched, track, result.ok, result.detail, startedMs)
    if (!keepsTime && watched.tracks.get(track.kind) === track) this.#arm(watched, track)
  }

  #take(watched: Watched, track: Track, ok: boolean, detail: string, startedMs: number): void {
    const before = watched.state
    if (ok) {
      track.schedule = afterSuccess(track.schedule, startedMs)
      watched.state = fold(before, track.kind, track.probe, { ok, detail, counts: true })
    } else {
      const nowMs = this.#deps.clock.monotonicMs()
      const { counts, schedule } = afterFailure(track.schedule, track.probe, nowMs)
      track.schedule = schedule
      watched.state = fold(before, track.kind, track.probe, { ok, detail, counts })
    }
    if (watched.state.startup.verdict !== before.startup.verdict) this.#begin(watched, false)
    this.#deps.onResult(watched.target.instance)
  }
}
