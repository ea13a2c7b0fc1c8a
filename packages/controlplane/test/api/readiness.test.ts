import { test } from 'tap'

import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { StoreFull } from '../../src/store/store.ts'
import { ControlledStore } from '../state/controlled-store.ts'
import { document, serve } from './serve.ts'

const full = new StoreFull('the disk is full')

test('readyz says when the store cannot write, and recovers without anybody else writing', async (t) => {
  const store = new ControlledStore(new MemoryStore())
  await using served = await serve(store)
  const apply = () =>
    served.call('POST', '/v1/apply', { documents: [document()], allowPending: true })
  t.match(await served.call('GET', '/readyz'), { status: 200, body: { status: 'ok' } })

  store.failAll(full)
  t.equal((await apply()).status, 503)
  const refused = await served.call('GET', '/readyz')
  t.match(refused, {
    status: 503,
    body: { code: 'store-failed', detail: /the disk is full/, advice: /make room/ },
  })
  const { tried } = store
  for (let asked = 0; asked < 50; asked++)
    t.equal((await served.call('GET', '/readyz')).status, 503)
  t.ok(store.tried - tried <= 1, 'asking often does not try the disk often')
  t.match(await served.call('GET', '/healthz'), { status: 200 })

  store.failAll(null)
  let status = 503
  for (let tries = 0; tries < 40 && status !== 200; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 100))
    status = (await served.call('GET', '/readyz')).status
  }
  t.equal(status, 200, 'an idle control plane finds out by itself')
  const [event] = served.state.events({ kind: 'Cluster', limit: 1 })
  t.match(event, { action: 'store-recovered', reason: /takes writes again/ })
  t.equal((await apply()).status, 200)
})

test('a write that succeeds makes it ready at once', async (t) => {
  const store = new ControlledStore(new MemoryStore())
  await using served = await serve(store)
  const apply = () =>
    served.call('POST', '/v1/apply', { documents: [document()], allowPending: true })
  store.failAll(full)
  t.equal((await apply()).status, 503)
  t.equal((await served.call('GET', '/readyz')).status, 503)
  store.failAll(null)
  t.equal((await apply()).status, 200)
  t.equal((await served.call('GET', '/readyz')).status, 200)
})
