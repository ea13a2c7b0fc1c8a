import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { FastifyInstance } from 'fastify'

import { actorOf } from '../actor.ts'
import type { ApiDeps } from '../deps.ts'

/** A consistent copy of the state, made while it is in use, as a stream. */
export function backupRoutes(app: FastifyInstance, deps: ApiDeps): void {
  app.post('/v1/backup', { config: { permission: 'write' } }, async (request, reply) => {
    await deps.state.write({ actor: actorOf(request) }, (tx) => {
      tx.event({ kind: 'Cluster', subject: tx.cluster, action: 'backed-up', reason: 'asked for over the API' })
    })
    const directory = await mkdtemp(join(tmpdir(), 'bulkhead-backup-'))
    const clear = (): Promise<void> => rm(directory, { recursive: true, force: true })
    try {
      const file = join(directory, 'bulkhead.db')
      await deps.backup(file)
      const stream = createReadStream(file)
      stream.once('close', () => void clear())
      return await reply.type('application/octet-stream').send(stream)
    } catch (error) {
      await clear()
      throw error
    }
  })
}
