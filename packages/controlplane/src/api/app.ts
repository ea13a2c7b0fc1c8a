import swagger from '@fastify/swagger'
import { BulkheadError } from '@bulkhead/shared'
import fastify, { type FastifyInstance } from 'fastify'

import { authenticate, authorize } from './auth.ts'
import type { ApiDeps } from './deps.ts'
import { handleErrors, sendProblem, translate } from './errors.ts'
import { agentRoutes, isSessionUpgrade } from './routes/agent.ts'
import { applyRoutes } from './routes/apply.ts'
import { backupRoutes } from './routes/backup.ts'
import { discoveryRoutes } from './routes/discovery.ts'
import { explainRoutes } from './routes/explain.ts'
import { instanceRoutes } from './routes/instances.ts'
import { externalServiceRoutes } from './routes/external-services.ts'
import { nodeRoutes } from './routes/nodes.ts'
import { serviceDiscoveryRoutes } from './routes/service-discovery.ts'
import { secretRoutes } from './routes/secrets.ts'
import { serviceRoutes } from './routes/services.ts'
import { streamRoutes } from './routes/streams.ts'
import { systemRoutes } from './routes/system.ts'
import { tokenRoutes } from './routes/tokens.ts'
import { refuseTheUndeclared, schemaProblem } from './schema-problem.ts'
import { refuseExpectation, refuseMalformed } from './unrouted.ts'

const maxBodyBytes = 16 * 1024 * 1024

/** A key of that name would become the prototype of what it is copied into. */
function refusePrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new Error('a key named __proto__ is not accepted')
  return value
}

/** The API as a fastify application that does not listen yet. */
export async function makeApp(deps: ApiDeps): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    bodyLimit: maxBodyBytes,
    // Names and ids are short; longer path parts are nobody's.
    routerOptions: { maxParamLength: 300, ignoreTrailingSlash: true },
    frameworkErrors: (error, _request, reply) => sendProblem(reply, translate(error)),
    clientErrorHandler: refuseMalformed,
    // Clients that offer another protocol, as curl does with HTTP/2, are answered in this one.
    http: { shouldUpgradeCallback: isSessionUpgrade },
    requestTimeout: 30_000,
    forceCloseConnections: true,
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, strict: false, verbose: true } },
    schemaErrorFormatter: schemaProblem,
  })
  app.server.on('checkExpectation', refuseExpectation)
  handleErrors(app, deps.logger)
  refuseTheUndeclared(app)
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Bulkhead', version: deps.version, license: { name: 'Apache-2.0' } },
      components: { securitySchemes: { token: { type: 'http', scheme: 'bearer' } } },
      security: [{ token: [] }],
    },
  })
  // An empty body with a JSON content type is as good as none.
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, body, done) => {
    if (body === '') {
      done(null, {})
      return
    }
    try {
      const text = String(body)
      done(null, /__proto__|\\u005f/i.test(text) ? JSON.parse(text, refusePrototype) : JSON.parse(text))
    } catch (error) {
      done(new BulkheadError('bad-request', `the body is not JSON: ${(error as Error).message.slice(0, 200)}`, 'send JSON'))
    }
  })
  app.decorateRequest('principal', null)
  app.addHook('onRequest', async (request) => {
    const { permission } = request.routeOptions.config
    if (permission === 'open' || request.is404) return
    const principal = authenticate(deps.state.view, request.headers.authorization, deps.clock.nowMs())
    if (permission === undefined) throw new BulkheadError('not-allowed', 'the route declares no permission')
    authorize(principal, permission)
    request.principal = principal
  })
  for (const routes of [
    systemRoutes,
    applyRoutes,
    serviceRoutes,
    instanceRoutes,
    nodeRoutes,
    externalServiceRoutes,
    tokenRoutes,
    secretRoutes,
    discoveryRoutes,
    serviceDiscoveryRoutes,
    explainRoutes,
    streamRoutes,
    agentRoutes,
    backupRoutes,
  ]) {
    await app.register(async (scope) => routes(scope, deps))
  }
  return app
}
