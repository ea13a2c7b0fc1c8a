import { EngineError } from './engine.ts'

interface HttpFailure {
  readonly statusCode?: unknown
  readonly json?: unknown
  readonly message?: unknown
}

/** What the engine itself said, without the client's wrapping. */
function messageOf(failure: HttpFailure): string {
  const { json } = failure
  if (typeof json === 'object' && json !== null && 'message' in json) return String(json.message)
  return String(failure.message)
    .replace(/^\(HTTP code \d+\) .*? - /, '')
    .trim()
}

/** By which of its parts the engine came to it; what it came to is behind them. */
const ways = [
  /^failed to create (shim )?task( for container)?: /i,
  /^OCI runtime create failed: /i,
  /^runc create failed: /i,
  /^unable to start container process: /i,
  /^driver failed programming external connectivity on endpoint \S+( \([0-9a-f]+\))?: /i,
  /^error starting userland proxy: /i,
]

/** What people need of a refusal: what and why, not the way that it took. */
const shortened = (message: string): string =>
  ways.reduce((text, way) => text.replace(way, ''), message).replace(/: unknown$/, '')

/** Tells the engine's refusals apart, by status code where it has one of its own and else by what it says. */
export function toEngineError(cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause
  const failure: HttpFailure = typeof cause === 'object' && cause !== null ? cause : {}
  const message = messageOf(failure)
  // Without a status there was no answer: refused, reset, timed out, or no socket.
  if (typeof failure.statusCode !== 'number') {
    const text = message === 'aborted' ? 'the engine closed the connection' : message
    return new EngineError('unreachable', text)
  }
  return new EngineError(kindOf(failure.statusCode, message.toLowerCase()), shortened(message))
}

function kindOf(status: number, message: string): EngineError['kind'] {
  if (
    /port is already allocated|address already in use|failed to bind (host )?port/.test(message)
  ) {
    return 'port-taken'
  }
  if (/no space left on device|disk quota exceeded/.test(message)) return 'no-space'
  if (/shutting down/.test(message)) return 'unreachable'
  if (/network \S+ (not found|is ambiguous)|could not find .*network/.test(message))
    return 'conflict'
  if (status === 404 && /no such image|image .*not found/.test(message)) return 'no-such-image'
  if (status === 404 && /no such container|container .*not found/.test(message)) {
    return 'no-such-container'
  }
  return status === 409 ? 'conflict' : 'refused'
}
