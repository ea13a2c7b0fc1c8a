import { BulkheadError, type SecretView } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import { actorOf } from '../actor.ts'
import type { ApiDeps } from '../deps.ts'
import { timeOf } from '../views/times.ts'

interface Params {
  readonly environment: string
  readonly name: string
}

const name = { type: 'string', pattern: '^[a-z]([a-z0-9-]{0,48}[a-z0-9])?$' }
const params = { type: 'object', properties: { environment: name, name } }
/** Base64 of 64 KiB. */
const maxCharacters = 87_384
const body = {
  type: 'object',
  required: ['value'],
  additionalProperties: false,
  properties: { value: { type: 'string' } },
}

/** Errors never show what was sent. */
function valueOf(text: string): Buffer {
  if (text.length > maxCharacters) {
    throw new BulkheadError('too-large', 'the secret has more than 64 KiB', 'keep large files elsewhere')
  }
  const value = Buffer.from(text, 'base64')
  if (value.length === 0 || value.toString('base64') !== text) {
    throw new BulkheadError('bad-request', 'the value is empty, or not base64', 'send the value as base64')
  }
  return value
}

/** Secrets go in and are listed by name; no route gives a value out. */
export function secretRoutes(app: FastifyInstance, { state, secrets }: ApiDeps): void {
  if (secrets === undefined) return
  app.get('/v1/secrets', { config: { permission: 'read' } }, async () => {
    const items = [...state.view.secrets.values()].map(
      ({ key, version, createdAtMs, updatedAtMs }): SecretView => {
        const [environment = '', secret = ''] = key.split('/')
        const times = { createdAt: timeOf(createdAtMs), updatedAt: timeOf(updatedAtMs) }
        return { name: secret, environment, version, ...times }
      },
    )
    return { revision: state.view.revision, items }
  })
  app.post<{ Params: Params; Body: { value: string } }>(
    '/v1/secrets/:environment/:name',
    { config: { permission: 'write' }, schema: { params, body } },
    async (request) => {
      const { environment, name: secret } = request.params
      const value = valueOf(request.body.value)
      return { version: await secrets.set(actorOf(request), `${environment}/${secret}`, value) }
    },
  )
  app.delete<{ Params: Params }>(
    '/v1/secrets/:environment/:name',
    { config: { permission: 'write' }, schema: { params } },
    async (request) => {
      const { environment, name: secret } = request.params
      await secrets.delete(actorOf(request), `${environment}/${secret}`)
      return {}
    },
  )
  app.post('/v1/secrets', { config: { permission: 'write' } }, async (request) => ({
    rotated: await secrets.rotate(actorOf(request)),
  }))
}
