import { BulkheadError } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import type { Transaction } from '../../state/view.ts'
import { actorOf } from '../actor.ts'
import { mintToken } from '../auth.ts'
import type { ApiDeps } from '../deps.ts'

const joinTokenLifeMs = 24 * 60 * 60 * 1000

interface TokenBody {
  readonly kind: 'join' | 'metrics' | 'discovery'
  readonly node?: string
  readonly zone?: string
}

const body = {
  type: 'object',
  required: ['kind'],
  additionalProperties: false,
  properties: {
    kind: { type: 'string', enum: ['join', 'metrics', 'discovery'] },
    node: { type: 'string', pattern: '^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$' },
    zone: { type: 'string', maxLength: 63 },
  },
}

function mint(tx: Transaction, { kind, ...bound }: TokenBody, lifeMs: number | null): string {
  const { node, zone } = { node: null, zone: null, ...bound }
  if (kind !== 'join' && (node !== null || zone !== null)) {
    throw new BulkheadError(
      'bad-request',
      `a token for ${kind} is not of a node or a zone`,
      'leave node and zone out',
    )
  }
  if (zone !== null && !Object.hasOwn(tx.zones.zones, zone)) {
    const zones = Object.keys(tx.zones.zones).join(', ')
    throw new BulkheadError('bad-request', `zone ${zone} is not declared`, `the zones are ${zones}`)
  }
  return mintToken(tx, {
    kind,
    node,
    zone,
    expiresAtMs: lifeMs === null ? null : tx.nowMs + lifeMs,
  })
}

/** Tokens with which nodes join, and tokens that read the metrics, or where services are, and nothing else. */
export function tokenRoutes(app: FastifyInstance, { state }: ApiDeps): void {
  app.post<{ Body: TokenBody }>(
    '/v1/tokens',
    { config: { permission: 'write' }, schema: { body } },
    async (request) => {
      const expiresInMs = request.body.kind === 'join' ? joinTokenLifeMs : null
      const token = await state.write({ actor: actorOf(request) }, (tx) =>
        mint(tx, request.body, expiresInMs),
      )
      return { token, expiresInMs }
    },
  )
}
