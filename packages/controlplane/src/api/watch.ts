import { BulkheadError, type ListView, type WatchEvent } from '@bulkhead/shared'
import type { FastifyReply, FastifyRequest } from 'fastify'

import type { Commit } from '../state/view.ts'
import type { ApiDeps } from './deps.ts'
import { problemOf } from './errors.ts'

const keepAliveMs = 15_000
/** A reader that leaves more than this unread is cut off; it lists again. */
const maxBufferedBytes = 4 * 1024 * 1024

/** How a list is read at once, and how a commit shows in its watch. */
export interface Watchable<T> {
  list(): readonly T[]
  changes(commit: Commit): Iterable<{ readonly type: 'put' | 'delete'; readonly item: T }>
}

/** Answers with the list, or with `?watch=REVISION` with the changes since, as server-sent events. */
export async function listOrWatch<T>(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  watchable: Watchable<T>,
): Promise<ListView<T> | undefined> {
  const { watch } = request.query as { watch?: string }
  if (watch === undefined) {
    return deps.state.read(({ revision }) => ({ revision, items: watchable.list() }))
  }
  await stream(deps, request, reply, Number(watch), watchable)
  return undefined
}

async function stream<T>(
  deps: ApiDeps,
  request: FastifyRequest,
  reply: FastifyReply,
  from: number,
  watchable: Watchable<T>,
): Promise<void> {
  const gone = new AbortController()
  const commits = deps.state.feed.watch(from, () => true, gone.signal)
  // The first look decides between a stream and a 410; afterwards it is too late for a status.
  if (deps.state.feed.since(from) === 'gone') {
    throw new BulkheadError('revision-gone', `changes after revision ${from} are not kept`, 'list again and watch from there')
  }
  reply.hijack()
  const { raw } = reply
  raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
  raw.write(`: watching from ${from}\n\n`)
  const keepAlive = (): void => {
    if (gone.signal.aborted) return
    raw.write(': \n\n')
    deps.clock.after(keepAliveMs, keepAlive)
  }
  deps.clock.after(keepAliveMs, keepAlive)
  request.raw.on('close', () => gone.abort())
  try {
    for await (const commit of commits) {
      for (const { type, item } of watchable.changes(commit)) {
        const event: WatchEvent<T> = { revision: commit.revision, type, item }
        raw.write(`id: ${commit.revision}\ndata: ${JSON.stringify(event)}\n\n`)
      }
      if (raw.writableLength > maxBufferedBytes) throw new BulkheadError('revision-gone', 'the reader is too slow', 'list again')
    }
  } catch (error) {
    if (error instanceof BulkheadError) raw.write(`event: error\ndata: ${JSON.stringify(problemOf(error))}\n\n`)
    else if (!gone.signal.aborted) deps.logger.error({ error }, 'a watch failed')
  } finally {
    gone.abort()
    raw.end()
  }
}
