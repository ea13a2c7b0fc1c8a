// The application tier: the rules of the shop. Keeps nothing itself.
import { randomUUID } from 'node:crypto'

import { createClient } from './discovery.js'
import { serve, who } from './server.js'

const store = createClient('store')

async function readShop() {
  const { body } = await store.call('/shop')
  return { body: { ...body, api: who() } }
}

async function placeOrder({ body }) {
  const order = { product: body?.product, quantity: body?.quantity ?? 1, by: who().instance }
  const id = body?.id ?? randomUUID()
  const answer = await store.call(`/orders/${encodeURIComponent(id)}`, {
    method: 'PUT',
    body: order,
  })
  return { status: answer.status, body: { ...answer.body, api: who() } }
}

serve({ 'GET /shop': readShop, 'POST /orders': placeOrder })
