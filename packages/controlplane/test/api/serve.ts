import { systemClock, type NodeFacts } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'

import { resolveImage } from '../../src/admission/images.ts'
import { makeApp } from '../../src/api/app.ts'
import { mintToken } from '../../src/api/auth.ts'
import { compose } from '../../src/compose.ts'
import { makeConfig } from '../../src/config/config.ts'
import { Secrets } from '../../src/secrets/secrets.ts'
import { newKey, Vault } from '../../src/secrets/vault.ts'
import { openState, type State } from '../../src/state/state.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import type { Store } from '../../src/store/store.ts'
import { silent } from '../state/fixtures.ts'

export interface Served extends AsyncDisposable {
  readonly app: FastifyInstance
  readonly state: State
  readonly url: string
  readonly admin: string
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: unknown): Promise<Answer>
}

export interface Answer {
  readonly status: number
  // The shape is what each test is about.
  readonly body: never
}

/** A whole control plane on the memory store, listening on the loopback interface. */
export async function serve(store: Store = new MemoryStore()): Promise<Served> {
  const stop = new AbortController()
  const config = makeConfig({ images: { local: 'allow' } }, {})
  const clock = systemClock
  const state = await openState({
    store,
    clock,
    logger: silent,
    newClusterId: () => 'test',
    onFatal: (error) => {
      throw error
    },
  })
  const vault = new Vault([newKey()])
  const secrets = new Secrets({ state, vault, saveKeys: () => {} })
  const { monitor, tables, traffic, hub, loop } = compose({ state, clock, config, registries: [], logger: silent, vault }, stop.signal)
  const resolve = (name: string) => resolveImage(name, config.images, [])
  const deps = { state, hub, monitor, tables, traffic, config, clock, logger: silent, version: '0', secrets, resolveImage: resolve, backup: (file: string) => store.backup(file) }
  const app = await makeApp(deps)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  monitor.start(stop.signal)
  loop.start(stop.signal)
  const admin = await state.write({ actor: 'test' }, (tx) =>
    mintToken(tx, { kind: 'admin', node: null, zone: null, expiresAtMs: null }),
  )
  return {
    app,
    state,
    url,
    admin,
    async call(method, path, body) {
      const answer = await app.inject({
        method,
        url: path,
        headers: { authorization: `Bearer ${admin}` },
        ...(body === undefined ? {} : { payload: body as object }),
      })
      return { status: answer.statusCode, body: (answer.body === '' ? null : answer.json()) as never }
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await app.close()
      await state.close()
    },
  }
}

export const facts = (changes: Partial<NodeFacts> = {}): NodeFacts => ({
  address: '127.0.0.1',
  zones: ['application'],
  environments: [],
  labels: {},
  domain: { provider: null, site: null, rack: null, host: 'h1' },
  capacity: { cpuMillis: 4000, memoryBytes: 8 * 1024 ** 3 },
  engine: null,
  agentVersion: '0',
  network: { enforced: true, enforcedReason: '', proxy: null, proxyReason: '' },
  ...changes,
})

export const document = (changes: object = {}): object => ({
  apiVersion: 'bulkhead/v1',
  kind: 'Service',
  name: 'web',
  zone: 'application',
  image: 'demo:1',
  ...changes,
})
