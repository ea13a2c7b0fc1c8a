import type {
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

import type { Changed, Token } from './view.ts'

export interface RecordTypes {
  readonly zones: ZonesSpec
  readonly service: Service
  readonly external: ExternalService
  readonly revision: Revision
  readonly instance: Instance
  readonly node: Node
  readonly rollout: Rollout
  readonly token: Token
  readonly secret: Secret
}
export type ChangeKind = keyof RecordTypes

/** One record before and after; undefined: it did not, or does not, exist. */
export type Change = {
  readonly [K in ChangeKind]: {
    readonly kind: K
    readonly key: string
    readonly before: RecordTypes[K] | undefined
    readonly after: RecordTypes[K] | undefined
  }
}[ChangeKind]

/** There is one record of zones. */
export const zonesKey = 'zones'

export const revisionKey = (service: ServiceKey, revision: number): string =>
  `${service}@${revision}`

/** The key under which a record is kept. */
export const keyOf: { readonly [K in ChangeKind]: (record: RecordTypes[K]) => string } = {
  zones: () => zonesKey,
  service: (service) => service.key,
  external: (external) => external.key,
  revision: (revision) => revisionKey(revision.service, revision.revision),
  instance: (instance) => instance.id,
  node: (node) => node.name,
  rollout: (rollout) => rollout.id,
  token: (token) => token.id,
  secret: (secret) => secret.key,
}

export function inverseOf(change: Change): Change {
  return { ...change, before: change.after, after: change.before } as Change
}

/**
 * One change per record, from its first `before` to its last `after`, in the order in which the records were
 * first touched; what ends as it began is left out.
 */
export function mergeChanges(changes: readonly Change[]): readonly Change[] {
  const merged = new Map<string, Change>()
  for (const change of changes) {
    const id = `${change.kind} ${change.key}`
    const earlier = merged.get(id)
    merged.set(id, earlier ? ({ ...change, before: earlier.before } as Change) : change)
  }
  return [...merged.values()].filter((change) => change.before !== change.after)
}

/** The change as readers of the feed see it. */
export function changedOf(change: Change): Changed {
  const { kind, key, before, after } = change
  return {
    kind,
    ...(kind === 'zones' ? {} : { key }),
    ...(before === undefined ? {} : { before }),
    ...(after === undefined ? {} : { after }),
  } as Changed
}
