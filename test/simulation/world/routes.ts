import { BulkheadError } from '@bulkhead/shared'

import type { ApiDeps } from '../../../packages/controlplane/src/api/deps.ts'
import { applyRoutes } from '../../../packages/controlplane/src/api/routes/apply.ts'
import { nodeRoutes } from '../../../packages/controlplane/src/api/routes/nodes.ts'
import { serviceRoutes } from '../../../packages/controlplane/src/api/routes/services.ts'

export interface Request {
  readonly method: 'POST' | 'DELETE'
  /** As the route names it, with the parameters still in it. */
  readonly route: string
  readonly params: Readonly<Record<string, string>>
  readonly body?: unknown
}

type Handler = (request: object, reply: object) => Promise<unknown>

/** The handlers of the API's routes, called without HTTP in between: HTTP has timers of its own. */
export class Routes {
  readonly #handlers = new Map<string, Handler>()

  constructor(deps: ApiDeps) {
    const add =
      (method: string) =>
      (path: string, _options: object, handler: Handler): void => {
        this.#handlers.set(`${method} ${path}`, handler)
      }
    const app = {
      get: add('GET'),
      post: add('POST'),
      delete: add('DELETE'),
      put: add('PUT'),
      patch: add('PATCH'),
    }
    for (const routes of [applyRoutes, serviceRoutes, nodeRoutes])
      routes(app as unknown as Parameters<typeof routes>[0], deps)
  }

  async call({ method, route, params, body }: Request): Promise<unknown> {
    const handler = this.#handlers.get(`${method} ${route}`)
    if (!handler) throw new BulkheadError('not-found', `there is no route ${method} ${route}`)
    return handler(
      { params, body: body ?? null, headers: {}, query: {}, principal: { actor: 'admin' } },
      {},
    )
  }
}
