// The presentation tier: the page, and what the page asks for.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

import { createClient } from './discovery.js'
import { serve, who } from './server.js'

const api = createClient('api', { timeoutMs: 3000 })
const page = readFileSync(new URL('page.html', import.meta.url), 'utf8')

// A new connection for every refresh lets the page meet every instance behind a balancer.
const headers = { connection: 'close', 'cache-control': 'no-store' }

async function readShop() {
  const { body } = await api.call('/shop')
  return { headers, body: { ...body, web: who() } }
}

async function placeOrder({ body }) {
  const order = { id: randomUUID(), product: body?.product, quantity: body?.quantity }
  const answer = await api.call('/orders', { method: 'POST', body: order })
  return { status: answer.status, headers, body: { ...answer.body, web: who() } }
}

serve({
  'GET /': () => ({ headers, body: page.replaceAll('{{version}}', who().version) }),
  'GET /shop': readShop,
  'GET /who': () => ({ headers, body: who() }),
  'POST /orders': placeOrder,
})
