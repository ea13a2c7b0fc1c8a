import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'

import { BulkheadError } from '@bulkhead/shared'

import type { ClusterView, Token, Transaction } from '../state/view.ts'

export interface Principal {
  readonly kind: Token['kind']
  /** `admin`, or `node:NAME`, as it stands in events. */
  readonly actor: string
  readonly token: Token
}

/** What a route asks for. `open` needs no token at all. */
export type Permission =
  | 'open'
  | 'read'
  | 'write'
  | 'join'
  | 'agent'
  | 'metrics'
  /** Where the metrics of services are read. */
  | 'targets'
  /** Where services are. */
  | 'discover'

const allowed: Readonly<Record<Principal['kind'], readonly Permission[]>> = {
  admin: ['read', 'write', 'metrics', 'targets', 'discover'],
  join: ['join'],
  node: ['agent'],
  metrics: ['metrics', 'targets'],
  discovery: ['targets', 'discover'],
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest()

/** A token is `bh-KIND-ID-SECRET`; only the hash of the whole is kept. */
export function mintToken(
  tx: Transaction,
  token: Pick<Token, 'kind' | 'node' | 'zone' | 'expiresAtMs'>,
  random: (bytes: number) => Buffer = randomBytes,
): string {
  const id = random(6).toString('hex')
  const text = `bh-${token.kind}-${id}-${random(24).toString('base64url')}`
  tx.putToken({ ...token, id, hash: hashOf(text).toString('hex'), createdAtMs: tx.nowMs })
  tx.event({ kind: 'Token', subject: id, action: 'created', reason: `for ${token.kind}${token.node === null ? '' : ` of ${token.node}`}` })
  return text
}

/** The one place that tells who is asking. Throws BulkheadError `not-authenticated`. */
export function authenticate(view: ClusterView, authorization: string | undefined, nowMs: number): Principal {
  const refused = new BulkheadError(
    'not-authenticated',
    authorization === undefined ? 'no token was sent' : 'the token is not valid, or no longer',
    'use the context file that the control plane wrote (--context FILE)',
  )
  const text = /^Bearer (\S{1,256})$/.exec(authorization ?? '')?.[1]
  const id = text?.split('-', 3)[2]
  if (text === undefined || id === undefined) throw refused
  const token = view.tokens.get(id)
  // A hash is compared in any case, so that the time taken does not tell whether the id exists.
  const expected = Buffer.from(token?.hash ?? '0'.repeat(64), 'hex')
  const matches = timingSafeEqual(hashOf(text), expected)
  if (!token || !matches) throw refused
  if (token.expiresAtMs !== null && token.expiresAtMs <= nowMs) throw refused
  return { kind: token.kind, actor: token.kind === 'node' ? `node:${token.node}` : token.kind, token }
}

const administrator = 'use the context file of an administrator'
const ofNode = 'nodes join with a token of their own: bulkhead token create --node'

/** What permits it, of tokens that can be made. */
const remedies: Readonly<Record<Permission, string>> = {
  open: administrator,
  read: administrator,
  write: administrator,
  join: ofNode,
  agent: ofNode,
  metrics: 'metrics are read with a token of their own: bulkhead token create --metrics',
  targets: 'use a token for metrics or discovery: bulkhead token create --metrics, or --discovery',
  discover: 'discovery is read with a token of its own: bulkhead token create --discovery',
}

/** The one place that tells who may do what. Throws BulkheadError `not-allowed`. */
export function authorize(principal: Principal, permission: Permission): void {
  if (allowed[principal.kind].includes(permission)) return
  const what = `a token of kind ${principal.kind} does not permit this`
  throw new BulkheadError('not-allowed', what, remedies[permission])
}
