import { parentPort, workerData } from 'node:worker_threads'

import type { ConnectionOptions } from '../connection.ts'
import { openLocally, type LocalConnection } from '../local-connection.ts'
import { packError, type NumberedRequest, type Reply, type Request } from './messages.ts'

// The thread of a database that has grown large: opens it and does what it is asked to.

const reply = (message: Reply): void => parentPort?.postMessage(message)

async function obey(connection: LocalConnection, request: Request): Promise<number> {
  switch (request.kind) {
    case 'commit':
      await connection.commit(request.batch)
      return 0
    case 'prune-events':
      return connection.pruneEvents(request.keep)
    case 'backup':
      await connection.backup(request.file)
      return 0
    case 'close':
      await connection.close()
      return 0
    default:
      return request satisfies never
  }
}

async function answer(
  connection: LocalConnection,
  { number, request }: NumberedRequest,
): Promise<void> {
  try {
    reply({ kind: 'done', number, value: await obey(connection, request) })
  } catch (error) {
    reply({ kind: 'failed', number, error: packError(error) })
  }
  // Without a port to listen to the thread has nothing left to do, and ends.
  if (request.kind === 'close') parentPort?.close()
}

try {
  const onFailure = (error: unknown): void => reply({ kind: 'problem', error: packError(error) })
  const connection = openLocally({ ...(workerData as ConnectionOptions), onFailure })
  parentPort?.on('message', (message: NumberedRequest) => void answer(connection, message))
  reply({ kind: 'opened' })
} catch (error) {
  reply({ kind: 'not-opened', error: packError(error) })
}
