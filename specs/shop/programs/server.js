// What the three programs have in common: who they are, routes, and an orderly end.
import { createServer } from 'node:http'

const bodyLimitBytes = 64 * 1024
const stopDeadlineMs = 8000

/** Tells which instance answers. */
export function who(env = process.env) {
  return {
    service: env.BULKHEAD_SERVICE ?? 'unknown',
    instance: env.BULKHEAD_INSTANCE ?? 'unknown',
    slot: env.BULKHEAD_SLOT ?? '0',
    zone: env.BULKHEAD_ZONE ?? 'unknown',
    node: env.BULKHEAD_NODE ?? 'unknown',
    version: env.SHOP_VERSION ?? '0',
  }
}

async function readBody(request) {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > bodyLimitBytes) throw Object.assign(new Error('too long'), { status: 413 })
  }
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    throw Object.assign(new Error('not JSON'), { status: 400 })
  }
}

async function answer(routes, request) {
  const url = new URL(request.url, 'http://localhost')
  if (url.pathname === '/healthz') return { body: { healthy: true } }
  const found = Object.entries(routes).find(([key]) => {
    const [method, path] = key.split(' ')
    const matches = path.endsWith('/*')
      ? url.pathname.startsWith(path.slice(0, -1))
      : url.pathname === path
    return method === request.method && matches
  })
  if (found === undefined) return { status: 404, body: { error: `no ${url.pathname} here` } }
  return found[1]({ url, body: await readBody(request) })
}

/**
 * Serves `routes`, from 'METHOD /path' (or '/path/*') to a function that returns `body`, and
 * optionally `status` and `headers`. At SIGTERM it takes no more connections, finishes what it has
 * begun, calls `onStop` and ends.
 */
export function serve(routes, { onStop = () => {}, port = Number(process.env.PORT ?? 8080) } = {}) {
  let stopping = false
  const server = createServer(async (request, response) => {
    let result
    try {
      result = await answer(routes, request)
    } catch (error) {
      result = { status: error.status ?? 503, body: { error: error.message } }
    }
    const { status = 200, headers = {}, body } = result
    const isText = typeof body === 'string'
    response.writeHead(status, {
      'content-type': isText ? 'text/html; charset=utf-8' : 'application/json',
      ...(stopping && { connection: 'close' }),
      ...headers,
    })
    response.end(isText ? body : `${JSON.stringify(body)}\n`)
  })

  function stop(signal) {
    if (stopping) return
    stopping = true
    process.stdout.write(`${signal}: finishing\n`)
    setTimeout(() => process.exit(1), stopDeadlineMs).unref()
    server.close(() => {
      onStop()
      process.exit(0)
    })
    server.closeIdleConnections()
  }

  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
  const { service, version } = who()
  server.listen(port, () => {
    process.stdout.write(`${service} ${version} listens on ${port}\n`)
  })
  return server
}
