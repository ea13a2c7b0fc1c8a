// Finds the healthy instances of a service while the program runs, and calls them in turn.
const refreshMs = 1000
const discoveryTimeoutMs = 2000
const attemptLimit = 4
const retryPauseMs = 100

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Makes a client of a service in this program's environment.
 * `call(path, {method, body})` answers with the JSON of the first instance that gives one. Every
 * attempt goes to the next instance; only what may be repeated safely should be sent.
 */
export function createClient(service, { port = 'http', timeoutMs = 1500, env = process.env } = {}) {
  const source =
    `${env.BULKHEAD_DISCOVERY}/v1/discovery/` +
    `${env.BULKHEAD_ENVIRONMENT}/${service}?port=${encodeURIComponent(port)}`
  let endpoints = []
  let refreshedAt = 0
  let refreshing
  let turn = 0

  // When discovery is away, the last endpoints that it gave stay in use.
  async function refresh() {
    try {
      const response = await fetch(source, { signal: AbortSignal.timeout(discoveryTimeoutMs) })
      if (!response.ok) throw new Error(`discovery of ${service}: status ${response.status}`)
      endpoints = (await response.json()).endpoints
      refreshedAt = Date.now()
    } catch (error) {
      process.stderr.write(`${error.message}\n`)
    } finally {
      refreshing = undefined
    }
  }

  async function nextEndpoint() {
    if (Date.now() - refreshedAt > refreshMs) refreshing ??= refresh()
    if (endpoints.length === 0) await refreshing
    turn += 1
    return endpoints[turn % endpoints.length]
  }

  async function attempt(path, method, body) {
    const endpoint = await nextEndpoint()
    if (endpoint === undefined) throw new Error(`${service} has no healthy instance`)
    const response = await fetch(`http://${endpoint.address}:${endpoint.hostPort}${path}`, {
      method,
      signal: AbortSignal.timeout(timeoutMs),
      ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    })
    if (response.status >= 500) throw new Error(`${service}: status ${response.status}`)
    return { status: response.status, body: await response.json() }
  }

  async function call(path, { method = 'GET', body } = {}) {
    let failure
    for (let count = 0; count < attemptLimit; count += 1) {
      try {
        return await attempt(path, method, body)
      } catch (error) {
        failure = error
        refreshedAt = 0
        await pause(retryPauseMs * count)
      }
    }
    throw failure
  }

  return { call }
}
