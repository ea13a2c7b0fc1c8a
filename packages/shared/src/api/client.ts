import { type Clock, sleep, systemClock } from '../clock.ts'
import { BulkheadError, type ErrorCode, errorCatalogue, type ProblemDetails } from '../errors.ts'
import { linesOf, readText } from './bodies.ts'
import { fetchTransport, type Transport } from './transport.ts'
import type * as views from './views.ts'
import type { ListView, WatchEvent } from './views.ts'

export { type Clock, type Timer, sleep, systemClock } from '../clock.ts'
export { BulkheadError, type DocumentProblem, type ErrorCode, errorCatalogue } from '../errors.ts'

export {
  fetchTransport,
  type Transport,
  type TransportRequest,
  type TransportResponse,
} from './transport.ts'

/** The lists of the API by the last part of their path. */
export interface Lists {
  readonly services: views.ServiceView
  readonly instances: views.InstanceView
  readonly nodes: views.NodeView
  readonly rollouts: views.RolloutView
  readonly events: views.EventView
  readonly zones: views.ZoneView
  readonly 'external-services': views.ExternalServiceView
  readonly endpoints: views.EndpointsView
}
export type ListName = keyof Lists
export type Query = Readonly<Record<string, string | number | boolean | null | undefined>>

/** `list` replaces all that was known; `interrupted` says that changes will be late, and why. */
export type WatchUpdate<T> =
  | { readonly kind: 'list'; readonly revision: number; readonly items: readonly T[] }
  | { readonly kind: 'change'; readonly event: WatchEvent<T> }
  | { readonly kind: 'interrupted'; readonly error: BulkheadError }

export interface RequestOptions {
  readonly query?: Query | undefined
  readonly body?: unknown
  readonly signal?: AbortSignal | undefined
  /** For the whole of an answer, or for the beginning of one that is a stream. */
  readonly timeoutMs?: number | undefined
}

export interface ClientOptions {
  /** `http://HOST:PORT` */
  readonly server: string
  readonly token: string
  readonly transport?: Transport
  readonly clock?: Clock
  readonly timeoutMs?: number
}

/** Every method rejects with a BulkheadError, or with the reason of the caller's signal. */
export interface Client {
  readonly server: string
  request<T>(method: string, path: string, options?: RequestOptions): Promise<T>
  list<K extends ListName>(
    name: K,
    query?: Query,
    signal?: AbortSignal,
  ): Promise<ListView<Lists[K]>>
  /**
   * The list, then what changes, for as long as the signal allows. Reconnects by itself; lists anew when the
   * server no longer keeps the revision, and again and again when it offers no watch. Rejects when the first
   * list cannot be had.
   */
  watch<K extends ListName>(
    name: K,
    query: Query,
    signal: AbortSignal,
  ): AsyncGenerator<WatchUpdate<Lists[K]>, never>
  /** The lines of an answer in NDJSON, as they come. */
  lines<T>(method: string, path: string, options?: RequestOptions): AsyncGenerator<T>
  bytes(method: string, path: string, options?: RequestOptions): AsyncGenerator<Uint8Array>
}

/** A request as it is sent; `silenceMs` limits the pauses of a stream, null not at all. */
interface Exchange extends RequestOptions {
  readonly method: string
  readonly path: string
  readonly accept: string
  readonly silenceMs?: number | null
}

const defaultTimeoutMs = 30_000
/** Longer than the pause between two keep-alive comments of a watch. */
const watchSilenceMs = 60_000
const firstRetryMs = 250
const lastRetryMs = 2_000
const wrongServer = 'check that the server in the context is a Bulkhead control plane'
const noServer = 'check that the control plane runs and that the context names its address'

/** Faults that may pass by themselves, so that a watch goes on. */
const passing: readonly ErrorCode[] = ['unreachable', 'store-failed', 'too-many-requests']

const codesOfStatus: Readonly<Record<number, ErrorCode>> = {
  400: 'bad-request',
  401: 'not-authenticated',
  403: 'not-allowed',
  404: 'not-found',
  409: 'conflict',
  410: 'revision-gone',
  429: 'too-many-requests',
  502: 'unreachable',
  503: 'unreachable',
  504: 'unreachable',
}

const causes: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was closed',
  EHOSTUNREACH: 'no route to the host',
  ENOTFOUND: 'no such host',
  ETIMEDOUT: 'no answer',
}

export const servicePath = (environment: string, name: string, action = ''): string =>
  `/v1/services/${encodeURIComponent(environment)}/${encodeURIComponent(name)}${action}`

function parse(text: string, { method, path }: Exchange): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new BulkheadError('internal', `${method} ${path}: the answer is not JSON`, wrongServer)
  }
}

function causeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const known = causes[(error as NodeJS.ErrnoException).code ?? '']
  return known ?? (error.cause === undefined ? error.message : causeOf(error.cause))
}

/** The error that an answer tells of; one that is not ours is named by its status. */
function errorOfAnswer(status: number, text: string, { method, path }: Exchange): BulkheadError {
  try {
    const problem = JSON.parse(text) as Partial<ProblemDetails> | null
    if (problem?.code !== undefined && Object.hasOwn(errorCatalogue, problem.code)) {
      const detail = problem.detail ?? errorCatalogue[problem.code].title
      return new BulkheadError(problem.code, detail, problem.advice, problem.problems)
    }
  } catch {
    // Not from Bulkhead.
  }
  const code = codesOfStatus[status] ?? 'internal'
  return new BulkheadError(code, `${method} ${path}: answered with status ${status}`, wrongServer)
}

/** The data of server-sent events; an event named `error` carries problem details and ends them. */
async function* eventsOf(body: AsyncIterable<Uint8Array>, of: Exchange): AsyncGenerator<string> {
  let data = ''
  let isError = false
  for await (const line of linesOf(body)) {
    if (line.startsWith('data:')) data += line.slice(5)
    else if (line.startsWith('event:')) isError = line.slice(6).trim() === 'error'
    if (line !== '') continue
    if (data !== '' && isError) throw errorOfAnswer(500, data, of)
    if (data !== '') yield data
    data = ''
  }
}

function urlOf(server: string, path: string, query: Query = {}): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null)
  const search = given.map(([key, value]) => `${key}=${encodeURIComponent(String(value))}`)
  return `${server}${path}${search.length === 0 ? '' : '?'}${search.join('&')}`
}

/** Sends one request and hands over the bytes of its answer. */
async function* send(options: ClientOptions, exchange: Exchange): AsyncGenerator<Uint8Array> {
  const { server, token, transport = fetchTransport, clock = systemClock } = options
  const { method, path, body: content, accept, signal, silenceMs } = exchange
  const headers: Record<string, string> = { accept }
  if (token !== '') headers['authorization'] = `Bearer ${token}`
  if (content !== undefined) headers['content-type'] = 'application/json'
  const body = content === undefined ? null : JSON.stringify(content)
  const control = new AbortController()
  const onAbort = (): void => control.abort(signal?.reason)
  const expireAfter = (ms: number) =>
    clock.after(ms, () => control.abort(new Error(`no answer within ${ms / 1000} s`)))
  signal?.throwIfAborted()
  signal?.addEventListener('abort', onAbort, { once: true })
  let timer = expireAfter(exchange.timeoutMs ?? options.timeoutMs ?? defaultTimeoutMs)
  try {
    const url = urlOf(server, path, exchange.query)
    const answer = await transport({ method, url, headers, body, signal: control.signal })
    if (answer.status < 200 || answer.status > 299) {
      throw errorOfAnswer(answer.status, await readText(answer.body), exchange)
    }
    // A server without watches answers with the list: for the caller that is a watch that ended at once.
    if (accept === 'text/event-stream' && !answer.contentType.startsWith(accept)) return
    if (silenceMs !== undefined) timer.cancel()
    for await (const chunk of answer.body) {
      if (typeof silenceMs === 'number') {
        timer.cancel()
        timer = expireAfter(silenceMs)
      }
      yield chunk
    }
  } catch (error) {
    signal?.throwIfAborted()
    if (error instanceof BulkheadError) throw error
    const why = causeOf(control.signal.aborted ? control.signal.reason : error)
    throw new BulkheadError('unreachable', `cannot reach ${server}: ${why}`, noServer)
  } finally {
    timer.cancel()
    signal?.removeEventListener('abort', onAbort)
    control.abort()
  }
}

async function* watch<T>(
  options: ClientOptions,
  given: Exchange,
  signal: AbortSignal,
): AsyncGenerator<WatchUpdate<T>, never> {
  // A commit can be cut off in the middle: a new watch begins before the last one that was seen.
  let revision: number | null = null
  let last = 0
  let failures = 0
  for (;;) {
    try {
      if (revision === null) {
        const list = parse(await readText(send(options, given)), given) as ListView<T>
        revision = last = list.revision
        yield { kind: 'list', ...list }
      }
      const accept = 'text/event-stream'
      const query: Query = { ...given.query, watch: revision }
      const body = send(options, { ...given, query, accept, silenceMs: watchSilenceMs })
      for await (const data of eventsOf(body, given)) {
        const event = parse(data, given) as WatchEvent<T>
        if (event.revision > last) [revision, last] = [last, event.revision]
        failures = 0
        yield { kind: 'change', event }
      }
    } catch (error) {
      const isFirst = revision === null && failures === 0
      if (isFirst || !(error instanceof BulkheadError)) throw error
      if (error.code !== 'revision-gone' && !passing.includes(error.code)) throw error
      if (error.code === 'revision-gone') revision = null
      else yield { kind: 'interrupted', error }
    }
    failures++
    // What failed twice in a row is not tried again with the same revision.
    if (failures > 1) revision = null
    const delayMs = Math.min(firstRetryMs * 2 ** (failures - 1), lastRetryMs)
    await sleep(options.clock ?? systemClock, delayMs, signal)
  }
}

export function createClient(given: ClientOptions): Client {
  const options = { ...given, server: given.server.replace(/\/+$/, '') }
  const client: Client = {
    server: options.server,
    async request<T>(method: string, path: string, rest: RequestOptions = {}): Promise<T> {
      const exchange = { ...rest, method, path, accept: 'application/json' }
      const text = await readText(send(options, exchange))
      return (text === '' ? undefined : parse(text, exchange)) as T
    },
    list: (name, query, signal) => client.request('GET', `/v1/${name}`, { query, signal }),
    watch: (name, query, signal) => {
      const list = { method: 'GET', path: `/v1/${name}`, query, signal, accept: 'application/json' }
      return watch(options, list, signal)
    },
    async *lines<T>(method: string, path: string, rest: RequestOptions = {}): AsyncGenerator<T> {
      const exchange = { ...rest, method, path, accept: 'application/x-ndjson', silenceMs: null }
      for await (const line of linesOf(send(options, exchange))) {
        if (line !== '') yield parse(line, exchange) as T
      }
    },
    bytes: (method, path, rest = {}) =>
      send(options, { ...rest, method, path, accept: 'application/octet-stream', silenceMs: null }),
  }
  return client
}
