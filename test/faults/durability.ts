import { setTimeout as delay } from 'node:timers/promises'

import type { ListView, ServiceView } from '@bulkhead/shared'

import type { LoneControlPlane } from './lone-control-plane.ts'

/** What a campaign of kills under a load of writes has seen. */
export interface Durability {
  readonly kills: number
  readonly acknowledged: number
  /** One line for each state after a restart that no acknowledged history explains. */
  readonly violations: readonly string[]
  readonly slowestStartMs: number
}

export interface DurabilityOptions {
  readonly kills: number
  readonly clients: number
  /** The longest time from a start to the kill. */
  readonly maxLifeMs: number
  /** In [0, 1). */
  readonly random: () => number
  readonly onKill?: (done: number) => void
}

/** The services of one client: name to the number of the write that made it what it is. */
type Model = ReadonlyMap<string, number>

interface Write {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly after: Model
}

const servicesInAFile = 3
const requestTimeoutMs = 10_000

/** A client that writes one thing after the other and remembers what was acknowledged. */
class Client {
  readonly #url: string
  readonly #token: string
  readonly #environment: string
  #model: Model = new Map()
  #pending: Model | null = null
  #number = 0
  acknowledged = 0

  constructor(url: string, token: string, environment: string) {
    this.#url = url
    this.#token = token
    this.#environment = environment
  }

  /** Writes until `signal` is aborted or the control plane is gone. */
  async write(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const { method, path, body, after } = this.#next()
      this.#pending = after
      const response = await this.#request(method, path, body).catch(() => null)
      if (response === null) return
      const text = await response.text().catch(() => null)
      if (text === null) return
      this.#pending = null
      // What is still being deleted cannot be made anew: refused, and nothing has changed.
      if (response.status === 409) continue
      if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`)
      this.#model = after
      this.acknowledged += 1
    }
  }

  /** Compares what is there with what was acknowledged; the one write without an answer may be there or not. */
  async verify(): Promise<string | null> {
    const response = await this.#request('GET', `/v1/services?environment=${this.#environment}`)
    const { items } = (await response.json()) as ListView<ServiceView>
    const living = items.filter(({ deleting }) => !deleting)
    const found = new Map(living.map(({ name, labels }) => [name, Number(labels['write'])]))
    const before = canonical(this.#model)
    const seen = canonical(found)
    const isAfter = this.#pending !== null && seen === canonical(this.#pending)
    if (seen !== before && !isAfter) {
      const pending = this.#pending === null ? 'none' : canonical(this.#pending)
      return `${this.#environment}: found ${seen}, acknowledged ${before}, unanswered ${pending}`
    }
    this.#model = found
    this.#pending = null
    return null
  }

  #next(): Write {
    this.#number += 1
    const number = this.#number
    const [name] = this.#model.keys()
    if (number % 4 === 0 && name !== undefined) {
      const after = new Map([...this.#model].filter(([key]) => key !== name))
      return { method: 'DELETE', path: `/v1/services/${this.#environment}/${name}`, after }
    }
    const names = Array.from({ length: servicesInAFile }, (_, index) => `s${(number + index) % (servicesInAFile + 2)}`)
    const after = new Map([...this.#model, ...names.map((name) => [name, number] as const)])
    const documents = names.map((name) => this.#document(name, number))
    return { method: 'POST', path: '/v1/apply', body: { documents, allowPending: true }, after }
  }

  #document(name: string, number: number): unknown {
    return {
      apiVersion: 'bulkhead/v1',
      kind: 'Service',
      name,
      environment: this.#environment,
      labels: { write: String(number) },
      zone: 'application',
      image: 'idle:1',
      replicas: 2,
    }
  }

  #request(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.#token}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(requestTimeoutMs),
    })
  }
}

function canonical(model: Model): string {
  return JSON.stringify([...model].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

/** Kills the control plane at random moments while clients write, and looks after each restart what is there. */
export async function durabilityCampaign(
  controlPlane: LoneControlPlane,
  { kills, clients: count, maxLifeMs, random, onKill }: DurabilityOptions,
): Promise<Durability> {
  const violations: string[] = []
  let slowestStartMs = 0
  await controlPlane.start()
  const clients = Array.from({ length: count }, (_, index) => new Client(controlPlane.url, controlPlane.token(), `c${index}`))
  for (let kill = 1; kill <= kills; kill++) {
    const stop = new AbortController()
    const writing = Promise.all(clients.map((client) => client.write(stop.signal)))
    await Promise.race([delay(random() * maxLifeMs), writing])
    await controlPlane.kill()
    stop.abort()
    await writing
    const since = performance.now()
    await controlPlane.start()
    slowestStartMs = Math.max(slowestStartMs, performance.now() - since)
    for (const client of clients) {
      const violation = await client.verify()
      if (violation !== null) violations.push(`after kill ${kill}: ${violation}`)
    }
    onKill?.(kill)
  }
  await controlPlane.kill()
  const acknowledged = clients.reduce((sum, client) => sum + client.acknowledged, 0)
  return { kills, acknowledged, violations, slowestStartMs }
}
