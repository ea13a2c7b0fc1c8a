import { BulkheadError, beatKey, type NodeFacts } from '@bulkhead/shared'

import { authenticate, authorize, mintToken } from '../../../packages/controlplane/src/api/auth.ts'
import { compose, type Works } from '../../../packages/controlplane/src/compose.ts'
import type { Config } from '../../../packages/controlplane/src/config/config.ts'
import type { Logger } from '../../../packages/controlplane/src/logger.ts'
import { openState, type State } from '../../../packages/controlplane/src/state/state.ts'
import type { Commit } from '../../../packages/controlplane/src/state/view.ts'
import type { Random } from '../random.ts'
import type { Host } from './host.ts'
import { resolveSimulated } from './images.ts'
import type { End } from './network.ts'
import { Process } from './process.ts'
import { Routes } from './routes.ts'
import type { Schedule } from './schedule.ts'
import { ProcessStore, type StoreDisk } from './store.ts'

export interface ControlPlaneDeps {
  readonly host: Host
  readonly schedule: Schedule
  readonly disk: StoreDisk
  readonly config: Config
  readonly random: Random
  readonly logger: (process: string) => Logger
  readonly onBoot: (state: State) => void
  readonly onCommit: (commit: Commit) => void
  readonly onFatal: (error: Error) => void
}

interface Running extends Works {
  readonly state: State
  readonly routes: Routes
}

/** The control plane's program on its machine, one process after the other on the same disk. */
export class SimControlPlane {
  readonly #deps: ControlPlaneDeps
  #process: Process | null = null
  #running: Running | null = null
  #starts = 0

  constructor(deps: ControlPlaneDeps) {
    this.#deps = deps
  }

  /** Null: it does not run, or has not loaded its state yet. */
  get running(): Running | null {
    return this.#process?.alive ? this.#running : null
  }

  get process(): Process | null {
    return this.#process
  }

  start(): void {
    if (this.#process?.alive) return
    this.#starts += 1
    this.#process = new Process(
      `controlplane-${this.#starts}`,
      this.#deps.host,
      this.#deps.schedule,
    )
    void this.#boot(this.#process)
  }

  crash(): void {
    this.#process?.kill()
    this.#running = null
  }

  /** Takes a node's connection as the API does. Throws BulkheadError when the token is not good. */
  accept(token: string, end: End): void {
    const running = this.running
    if (!running) throw new Error('connect ECONNREFUSED')
    const { state, hub } = running
    const principal = authenticate(state.view, `Bearer ${token}`, this.#deps.host.nowMs())
    authorize(principal, 'agent')
    const { node, hash } = principal.token
    if (node === null || !state.view.nodes.has(node))
      throw new BulkheadError('not-allowed', 'no such node')
    const connection = {
      send: (text: string) => end.send(text),
      close: (code: number, reason: string) => {
        end.close(`${code} ${reason}`)
        end.process.after(1, 'session closed', () => hub.closed(session))
      },
      get bufferedBytes() {
        return end.bufferedBytes
      },
    }
    const session = hub.open(node, connection, beatKey(Buffer.from(hash, 'hex')))
    end.handlers = {
      onText: (text) => session.receive(text),
      onClose: () => hub.closed(session),
    }
  }

  /** Makes the node's record and token, as joining does; null when that could not be written. */
  async join(name: string, facts: NodeFacts): Promise<string | null> {
    const running = this.running
    if (!running) return null
    const { random } = this.#deps
    try {
      return await running.state.write({ actor: `node:${name}` }, (tx) => {
        tx.putNode({
          name,
          facts,
          labels: tx.nodes.get(name)?.labels ?? {},
          liveness: 'suspect',
          livenessReason: 'it has joined and has not connected yet',
          livenessSinceMs: tx.nowMs,
          confirmedDead: false,
          admittance: 'open',
          drainDueAtMs: null,
          joinedAtMs: tx.nowMs,
        })
        return mintToken(tx, { kind: 'node', node: name, zone: null, expiresAtMs: null }, (count) =>
          random.bytes(count),
        )
      })
    } catch (error) {
      if (error instanceof BulkheadError) return null
      throw error
    }
  }

  async #boot(process: Process): Promise<void> {
    const { disk, config, random, logger: loggerOf, onBoot, onCommit, onFatal } = this.#deps
    const logger = loggerOf(process.name)
    const { clock } = process
    const store = new ProcessStore(disk, process)
    await process.ask('control plane starts', process.host.takesMs(200, 900), () => {}, 0)
    const state = await openState({
      store,
      clock,
      logger,
      newClusterId: () => random.bytes(8).toString('hex'),
      onFatal,
      schedule: (run) => void process.after(0, 'end of turn', run),
    })
    const stop = new AbortController()
    onBoot(state)
    const works = compose({ state, clock, config, registries: [], logger }, stop.signal)
    state.feed.subscribe(onCommit, stop.signal)
    const routes = new Routes({
      ...works,
      state,
      config,
      clock,
      logger,
      version: '0',
      backup: () => store.backup(),
      resolveImage: async (name) => resolveSimulated(name),
    })
    works.monitor.start(stop.signal)
    works.loop.start(stop.signal)
    this.#running = { ...works, state, routes }
  }
}
