import type {
  ClusterEvent,
  ExternalService,
  Instance,
  Node,
  Revision,
  Rollout,
  Secret,
  Service,
  ServiceKey,
  ZonesSpec,
} from '@bulkhead/shared'

import {
  inverseOf,
  keyOf,
  revisionKey,
  zonesKey,
  type Change,
  type ChangeKind,
  type RecordTypes,
} from './change.ts'
import { assertInstanceMayBecome, assertRevisionMayBecome } from './invariants.ts'
import { TablesView } from './tables-view.ts'
import type { Tables } from './tables.ts'
import type { Transaction, Token } from './view.ts'

export interface TransactionContext {
  readonly tables: Tables
  readonly cluster: string
  /** The revision that the transaction gets when it is kept. */
  readonly revision: number
  readonly actor: string
  readonly nowMs: number
}

/** A transaction while its function runs: changes go to the tables at once and are remembered for `undo`. */
export class OpenTransaction extends TablesView implements Transaction {
  readonly actor: string
  readonly nowMs: number
  readonly changes: Change[] = []
  readonly events: ClusterEvent[] = []
  readonly #tables: Tables
  #ended = false

  constructor({ tables, cluster, revision, actor, nowMs }: TransactionContext) {
    super(tables, cluster, () => revision)
    this.#tables = tables
    this.actor = actor
    this.nowMs = nowMs
  }

  /** From now on writes through this object throw. */
  end(): void {
    this.#ended = true
  }

  undo(): void {
    undoChanges(this.#tables, this.changes)
  }

  putZones(zones: ZonesSpec): void {
    this.#put('zones', this.#tables.zones, zones)
  }

  putService(service: Service): void {
    this.#put('service', this.#tables.services.get(service.key), service)
  }

  deleteService(key: ServiceKey): void {
    this.#delete('service', key, this.#tables.services.get(key))
  }

  putExternal(external: ExternalService): void {
    this.#put('external', this.#tables.externals.get(external.key), external)
  }

  deleteExternal(key: ServiceKey): void {
    this.#delete('external', key, this.#tables.externals.get(key))
  }

  putRevision(revision: Revision): void {
    const before = this.#tables.revisionOf(revision.service, revision.revision)
    assertRevisionMayBecome(before, revision)
    this.#put('revision', before, revision)
  }

  deleteRevision(service: ServiceKey, revision: number): void {
    const before = this.#tables.revisionOf(service, revision)
    this.#delete('revision', revisionKey(service, revision), before)
  }

  putInstance(instance: Instance): void {
    const before = this.#tables.instances.get(instance.id)
    assertInstanceMayBecome(before, instance)
    this.#put('instance', before, instance)
  }

  deleteInstance(id: string): void {
    this.#delete('instance', id, this.#tables.instances.get(id))
  }

  putNode(node: Node): void {
    this.#put('node', this.#tables.nodes.get(node.name), node)
  }

  deleteNode(name: string): void {
    this.#delete('node', name, this.#tables.nodes.get(name))
  }

  putRollout(rollout: Rollout): void {
    this.#put('rollout', this.#tables.rollouts.get(rollout.id), rollout)
  }

  deleteRollout(id: string): void {
    this.#delete('rollout', id, this.#tables.rollouts.get(id))
  }

  putToken(token: Token): void {
    this.#put('token', this.#tables.tokens.get(token.id), token)
  }

  deleteToken(id: string): void {
    this.#delete('token', id, this.#tables.tokens.get(id))
  }

  putSecret(secret: Secret): void {
    this.#put('secret', this.#tables.secrets.get(secret.key), secret)
  }

  deleteSecret(key: string): void {
    this.#delete('secret', key, this.#tables.secrets.get(key))
  }

  event(event: Parameters<Transaction['event']>[0]): void {
    this.#assertOpen()
    const { kind, subject, action, reason, actor = this.actor } = event
    const at = new Date(this.nowMs).toISOString()
    this.events.push({ revision: this.revision, at, kind, subject, actor, action, reason })
  }

  #put<K extends ChangeKind>(
    kind: K,
    before: RecordTypes[K] | undefined,
    after: RecordTypes[K],
  ): void {
    const key = kind === 'zones' ? zonesKey : keyOf[kind](after)
    this.#apply({ kind, key, before, after } as Change)
  }

  #delete<K extends ChangeKind>(kind: K, key: string, before: RecordTypes[K] | undefined): void {
    this.#apply({ kind, key, before, after: undefined } as Change)
  }

  #apply(change: Change): void {
    this.#assertOpen()
    if (change.before === change.after) return
    this.#tables.apply(change)
    this.changes.push(change)
  }

  #assertOpen(): void {
    if (this.#ended) throw new Error('A transaction was used after its function had returned')
  }
}

/** Takes the changes back, the last one first. */
export function undoChanges(tables: Tables, changes: readonly Change[]): void {
  for (const change of changes.toReversed()) tables.apply(inverseOf(change))
}
