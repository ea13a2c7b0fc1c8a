import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock, type Clock, type Image } from '@bulkhead/shared'

import { admit, applyAdmitted } from '../../packages/controlplane/src/admission/admit.ts'
import type { ResolvedImage } from '../../packages/controlplane/src/admission/images.ts'
import { compose } from '../../packages/controlplane/src/compose.ts'
import { makeConfig, type Config } from '../../packages/controlplane/src/config/config.ts'
import type { ConfigSource } from '../../packages/controlplane/src/config/schema.ts'
import type { Tables } from '../../packages/controlplane/src/discovery/tables.ts'
import type { TrafficLedger } from '../../packages/controlplane/src/rollout/traffic-ledger.ts'
import type { Logger } from '../../packages/controlplane/src/logger.ts'
import type { NodeMonitor } from '../../packages/controlplane/src/nodes/monitor.ts'
import type { ReconcileLoop } from '../../packages/controlplane/src/reconcile/loop.ts'
import type { Hub } from '../../packages/controlplane/src/sessions/hub.ts'
import { openState, type State } from '../../packages/controlplane/src/state/state.ts'
import { openSqliteStore, type SqliteStore } from '../../packages/controlplane/src/store/sqlite/sqlite-store.ts'
import type { PlannedNode } from './cluster-plan.ts'

/** What goes wrong is told; what goes well is measured. */
export const complaints: Logger = {
  debug() {},
  info() {},
  warn: (fields, message) => void process.stderr.write(`warning: ${message ?? ''} ${JSON.stringify(fields)}\n`),
  error: (fields, message) => void process.stderr.write(`error: ${message ?? ''} ${JSON.stringify(fields)}\n`),
}

const image: Image = {
  name: 'registry.internal:5000/shop/web:1.4.2',
  reference: `registry.internal:5000/shop/web@sha256:${'a1'.repeat(32)}`,
  digest: `sha256:${'a1'.repeat(32)}`,
  local: false,
}

export const pinnedImage = async (): Promise<ResolvedImage> => ({ image, warnings: [] })

export interface ControlPlane extends AsyncDisposable {
  readonly clock: Clock
  readonly config: Config
  readonly store: SqliteStore
  readonly state: State
  readonly tables: Tables
  readonly traffic: TrafficLedger
  readonly monitor: NodeMonitor
  readonly hub: Hub
  readonly loop: ReconcileLoop
  readonly signal: AbortSignal
}

/** The production parts, wired as in production, on a real database in the directory. */
export async function openControlPlane(directory: string, source: ConfigSource = {}): Promise<ControlPlane> {
  const clock = systemClock
  const stop = new AbortController()
  const config = makeConfig(source, {})
  const store = openSqliteStore({ directory, logger: complaints })
  const state = await openState({
    store,
    clock,
    logger: complaints,
    newClusterId: () => 'scale',
    onFatal(error) {
      throw error
    },
  })
  const { monitor, tables, traffic, hub, loop } = compose({ state, clock, config, registries: [], logger: complaints }, stop.signal)
  return {
    clock,
    config,
    store,
    state,
    tables,
    traffic,
    monitor,
    hub,
    loop,
    signal: stop.signal,
    async [Symbol.asyncDispose]() {
      stop.abort()
      await state.close()
      await store.close()
    },
  }
}

/** A directory on the disk that is measured, gone at the end. */
export async function scratchDirectory(): Promise<Disposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'bulkhead-scale-'))
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) }
}

const documentsPerApply = 100
const nodesPerWrite = 500

/** The nodes as they have joined, or as they are once their agents have been heard. */
export async function registerNodes(
  { state }: ControlPlane,
  nodes: readonly PlannedNode[],
  liveness: 'suspect' | 'ready',
): Promise<void> {
  for (let at = 0; at < nodes.length; at += nodesPerWrite) {
    await state.write({ actor: 'scale' }, (tx) => {
      for (const { name, facts } of nodes.slice(at, at + nodesPerWrite)) {
        tx.putNode({
          name,
          facts,
          labels: {},
          liveness,
          livenessReason: '',
          livenessSinceMs: tx.nowMs,
          confirmedDead: false,
          admittance: 'open',
          drainDueAtMs: null,
          joinedAtMs: tx.nowMs,
        })
      }
    })
  }
}

/** Admits and applies documents as the API does, in files of a hundred. */
export async function applyDocuments({ state, config, clock }: ControlPlane, documents: readonly object[]): Promise<void> {
  for (let at = 0; at < documents.length; at += documentsPerApply) {
    const request = { documents: documents.slice(at, at + documentsPerApply), prune: false, allowPending: false }
    const admitted = await admit(state.view, request, { resolve: pinnedImage, clock })
    await state.write({ actor: 'scale' }, (tx) => applyAdmitted(tx, admitted, config))
  }
}
