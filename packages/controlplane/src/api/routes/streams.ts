import { BulkheadError, isGone, splitServiceKey, type Instance } from '@bulkhead/shared'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

import type { StreamRequest } from '../../sessions/streams.ts'
import type { ApiDeps } from '../deps.ts'
import { countParameter, flagParameter, querySchema, timeParameter } from '../query.ts'
import { findInstance } from './instances.ts'

const read = { config: { permission: 'read' as const } }
const write = { config: { permission: 'write' as const } }
const maxBufferedBytes = 8 * 1024 * 1024
const statsTimeoutMs = 5000
const statsAtOnce = 16
const maxStatsLength = 4096

function sessionOf(deps: ApiDeps, instance: Instance) {
  const session = instance.node === null ? undefined : deps.hub.get(instance.node)
  if (session) return session
  throw new BulkheadError(
    'agent-unreachable',
    instance.node === null ? `instance ${instance.id} has no node yet` : `node ${instance.node} of instance ${instance.id} is not connected`,
    'see `bulkhead get nodes`',
  )
}

/** Passes a stream of the agent on as lines of JSON; the last line tells how it ended. */
function pipe(deps: ApiDeps, request: FastifyRequest, reply: FastifyReply, instance: Instance, wanted: StreamRequest): void {
  const session = sessionOf(deps, instance)
  const { raw } = reply
  let ended = false
  const end = (error: string, exitCode: number | null): void => {
    if (ended) return
    ended = true
    raw.end(`${JSON.stringify({ end: true, error, ...(exitCode === null ? {} : { exitCode }) })}\n`)
  }
  const close = session.streams.open(instance.id, wanted, {
    onChunk(chunk) {
      if (ended) return
      raw.write(`${JSON.stringify(chunk)}\n`)
      if (raw.writableLength <= maxBufferedBytes) return
      close()
      end('the reader is too slow', null)
    },
    onEnd: ({ error, exitCode }) => end(error, exitCode),
  })
  reply.hijack()
  raw.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' })
  raw.flushHeaders()
  request.raw.socket.on('close', () => {
    ended = true
    close()
  })
}

interface Stats {
  readonly cpuMillis: number
  readonly memoryBytes: number
  readonly pids: number
}

/** Null when the agent sent no figures. */
function readStats(text: string): Stats | null {
  try {
    const { cpuMillis, memoryBytes, pids } = JSON.parse(text) as Stats
    return [cpuMillis, memoryBytes, pids].every(Number.isFinite) ? { cpuMillis, memoryBytes, pids } : null
  } catch {
    return null
  }
}

/** Null when the agent does not tell in time. */
function statsOf(deps: ApiDeps, instance: Instance): Promise<Stats | null> {
  return new Promise((resolve) => {
    let text = ''
    try {
      const close = sessionOf(deps, instance).streams.open(instance.id, { kind: 'stats' }, {
        onChunk: ({ data }) => {
          // More than figures can be is not kept, and then is none.
          if (text.length <= maxStatsLength) text += Buffer.from(data, 'base64').toString()
        },
        onEnd({ error }) {
          timer.cancel()
          resolve(error === '' ? readStats(text) : null)
        },
      })
      const timer = deps.clock.after(statsTimeoutMs, () => {
        close()
        resolve(null)
      })
    } catch {
      resolve(null)
    }
  })
}

/** Others cannot tell what is used on them, and are not waited for. */
const isReady = ({ state }: ApiDeps, node: string | null): boolean =>
  node !== null && state.view.nodes.get(node)?.liveness === 'ready'

async function allStats(deps: ApiDeps): Promise<{ instance: Instance; stats: Stats }[]> {
  const running = [...deps.state.view.instances.values()].filter(
    (instance) =>
      !isGone(instance) &&
      instance.observed.state === 'running' &&
      instance.lostAtMs === null &&
      isReady(deps, instance.node),
  )
  const found: { instance: Instance; stats: Stats }[] = []
  const next = running.values()
  const worker = async (): Promise<void> => {
    for (const instance of next) {
      const stats = await statsOf(deps, instance)
      if (stats) found.push({ instance, stats })
    }
  }
  await Promise.all(Array.from({ length: statsAtOnce }, worker))
  return found.toSorted((a, b) => (a.instance.id < b.instance.id ? -1 : 1))
}

function topRoutes(app: FastifyInstance, deps: ApiDeps): void {
  app.get('/v1/top/instances', read, async () => ({
    items: (await allStats(deps)).map(({ instance, stats }) => ({
      id: instance.id,
      node: instance.node,
      service: splitServiceKey(instance.service).name,
      environment: splitServiceKey(instance.service).environment,
      ...stats,
    })),
  }))
  app.get('/v1/top/nodes', read, async () => {
    const sums = new Map<string, Stats>()
    for (const name of deps.state.view.nodes.keys()) {
      if (isReady(deps, name)) sums.set(name, { cpuMillis: 0, memoryBytes: 0, pids: 0 })
    }
    for (const { instance, stats } of await allStats(deps)) {
      const sum = sums.get(instance.node ?? '')
      if (!sum || instance.node === null) continue
      sums.set(instance.node, {
        cpuMillis: sum.cpuMillis + stats.cpuMillis,
        memoryBytes: sum.memoryBytes + stats.memoryBytes,
        pids: sum.pids + stats.pids,
      })
    }
    return { items: Array.from(sums, ([name, stats]) => ({ name, ...stats })) }
  })
}

/** Logs, commands inside instances, and what they use: asked of the agents through their sessions. */
export function streamRoutes(app: FastifyInstance, deps: ApiDeps): void {
  const { view } = deps.state
  app.get<{ Params: { id: string }; Querystring: { follow?: string; sinceMs?: string; tail?: string } }>(
    '/v1/instances/:id/logs',
    { ...read, schema: { querystring: querySchema({ follow: flagParameter, sinceMs: timeParameter, tail: countParameter }) } },
    (request, reply) => {
      const { follow, sinceMs, tail } = request.query
      pipe(deps, request, reply, findInstance(view, request.params.id), {
        kind: 'logs',
        follow: follow === 'true',
        sinceMs: sinceMs === undefined ? null : Number(sinceMs),
        tail: tail === undefined ? null : Number(tail),
      })
    },
  )
  const command = { type: 'array', minItems: 1, maxItems: 256, items: { type: 'string', maxLength: 65_536 } }
  app.post<{ Params: { id: string }; Body: { command: string[] } }>(
    '/v1/instances/:id/exec',
    { ...write, schema: { body: { type: 'object', required: ['command'], additionalProperties: false, properties: { command } } } },
    async (request, reply) => {
      const instance = findInstance(view, request.params.id)
      sessionOf(deps, instance)
      const actor = request.principal?.actor ?? 'unknown'
      await deps.state.write({ actor }, (tx) => {
        const reason = request.body.command.join(' ').slice(0, 200)
        tx.event({ kind: 'Instance', subject: instance.id, action: 'exec', reason })
      })
      pipe(deps, request, reply, instance, { kind: 'exec', command: request.body.command })
    },
  )
  topRoutes(app, deps)
}
