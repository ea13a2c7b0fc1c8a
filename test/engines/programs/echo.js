// An HTTP server that says who it is. GET /healthz, /who, /env; /fail and /recover switch what
// /healthz answers, /slow?ms=N answers late, /crash ends the process.
// PORT, VERSION, HEALTHY_AFTER_MS (0) and STOP_AFTER_MS (0) come from the environment.
import { createServer } from 'node:http'

const env = process.env
const healthyAt = Date.now() + Number(env.HEALTHY_AFTER_MS ?? 0)
const stopDeadlineMs = 10_000
const slowLimitMs = 60_000
let failing = false
let stopping = false

function who() {
  return {
    instance: env.BULKHEAD_INSTANCE ?? null,
    service: env.BULKHEAD_SERVICE ?? null,
    environment: env.BULKHEAD_ENVIRONMENT ?? null,
    zone: env.BULKHEAD_ZONE ?? null,
    node: env.BULKHEAD_NODE ?? null,
    slot: env.BULKHEAD_SLOT ?? null,
    version: env.VERSION ?? null,
    stopping,
  }
}

function healthz() {
  const healthy = !failing && Date.now() >= healthyAt
  return { status: healthy ? 200 : 503, body: { healthy } }
}

const routes = {
  '/healthz': healthz,
  '/who': () => ({ status: 200, body: who() }),
  '/env': () => ({ status: 200, body: env }),
  '/fail': () => {
    failing = true
    return { status: 200, body: { failing } }
  },
  '/recover': () => {
    failing = false
    return { status: 200, body: { failing } }
  },
  '/slow': async (query) => {
    const delayMs = Math.min(Number(query.get('ms') ?? 1000), slowLimitMs)
    await new Promise((resolve) => setTimeout(resolve, delayMs))
    return { status: 200, body: who() }
  },
  '/crash': () => process.exit(1),
}

const server = createServer(async (request, response) => {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const route = routes[url.pathname]
  const { status, body } = route
    ? await route(url.searchParams)
    : { status: 404, body: { error: `no such path: ${url.pathname}` } }
  const headers = { 'content-type': 'application/json' }
  if (stopping) headers.connection = 'close'
  response.writeHead(status, headers).end(`${JSON.stringify(body)}\n`)
})

function stop() {
  stopping = true
  setTimeout(() => process.exit(1), stopDeadlineMs).unref()
  setTimeout(
    () => {
      server.close(() => process.exit(0))
      server.closeIdleConnections()
    },
    Number(env.STOP_AFTER_MS ?? 0),
  )
}

process.on('SIGTERM', stop)
process.on('SIGINT', stop)
server.listen(Number(env.PORT ?? 8080))
