// The data tier: products and orders in memory, with a snapshot in a file.
import { readFileSync, renameSync, writeFileSync } from 'node:fs'

import { serve, who } from './server.js'

const snapshotPath = process.env.SNAPSHOT ?? '/tmp/shop.json'
const snapshotDelayMs = 500
const orderLimit = 200
const maxQuantity = 10

const seed = {
  orders: [],
  products: [
    { id: 'compass', name: 'Brass compass', price: 49, stock: 100 },
    { id: 'lantern', name: 'Storm lantern', price: 35, stock: 100 },
    { id: 'rope', name: 'Hemp rope, 20 m', price: 18, stock: 100 },
    { id: 'bell', name: "Ship's bell", price: 89, stock: 100 },
  ],
}

function load() {
  try {
    return JSON.parse(readFileSync(snapshotPath, 'utf8'))
  } catch {
    return structuredClone(seed)
  }
}

const data = load()
let timer

function save() {
  clearTimeout(timer)
  timer = undefined
  const temporary = `${snapshotPath}.new`
  try {
    writeFileSync(temporary, JSON.stringify(data))
    renameSync(temporary, snapshotPath)
  } catch (error) {
    process.stderr.write(`no snapshot: ${error.message}\n`)
  }
}

function isQuantity(value) {
  return Number.isInteger(value) && value >= 1 && value <= maxQuantity
}

// An order has its id from the caller, so that a repeated request does not order twice.
function putOrder({ url, body }) {
  const id = url.pathname.slice('/orders/'.length)
  const existing = data.orders.find((order) => order.id === id)
  if (existing !== undefined) return { body: { order: existing, store: who() } }
  const product = data.products.find((candidate) => candidate.id === body?.product)
  if (product === undefined) return { status: 422, body: { error: 'no such product' } }
  if (!isQuantity(body.quantity)) return { status: 422, body: { error: 'quantity: 1 to 10' } }
  if (product.stock < body.quantity) return { status: 409, body: { error: 'sold out' } }
  product.stock -= body.quantity
  const at = new Date().toISOString()
  const order = { id, product: product.name, quantity: body.quantity, at, by: body.by ?? null }
  data.orders.unshift(order)
  data.orders.length = Math.min(data.orders.length, orderLimit)
  timer ??= setTimeout(save, snapshotDelayMs)
  return { status: 201, body: { order, store: who() } }
}

serve(
  {
    'GET /shop': () => ({
      body: {
        products: data.products,
        orders: data.orders.slice(0, 8),
        orderCount: data.orders.length,
        store: who(),
      },
    }),
    'PUT /orders/*': putOrder,
  },
  { onStop: save },
)
