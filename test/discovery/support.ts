import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { waitFor } from '../engines/command.ts'
import { freePort, type LoneControlPlane, loneControlPlane } from '../faults/lone-control-plane.ts'
import { GoodAgent } from '../fuzz/run/good-agent.ts'
import { facts, service } from '../fuzz/run/seeded-control-plane.ts'

const healthyMs = 20_000
const run = promisify(execFile)

/** Why a test that needs the program cannot run here; false when it can. */
export function lacks(program: string, debianPackage: string): string | false {
  const { error } = spawnSync(program, ['--version'], { timeout: 10_000 })
  return error ? `not installed: ${program} (Debian: ${debianPackage})` : false
}

/** A control plane that serves DNS, with two healthy instances of default/shop whose metrics are really there. */
export class ServedShop implements AsyncDisposable {
  readonly controlPlane: LoneControlPlane
  readonly dnsPort: number
  readonly metricsPort: number
  readonly directory: string
  readonly #stack: AsyncDisposableStack

  private constructor(
    controlPlane: LoneControlPlane,
    ports: { readonly dns: number; readonly metrics: number },
    directory: string,
    stack: AsyncDisposableStack,
  ) {
    this.controlPlane = controlPlane
    this.dnsPort = ports.dns
    this.metricsPort = ports.metrics
    this.directory = directory
    this.#stack = stack
  }

  static async open(): Promise<ServedShop> {
    await using stack = new AsyncDisposableStack()
    const directory = mkdtempSync(join(tmpdir(), 'bulkhead-discovery-'))
    stack.defer(() => rmSync(directory, { recursive: true, force: true }))
    const website = createServer((_, response) => response.end('shop_orders_total 7\n'))
    website.listen(0, '0.0.0.0')
    await once(website, 'listening')
    stack.defer(() => void website.close())
    const { port: metrics } = website.address() as AddressInfo
    const dns = await freePort()
    const controlPlane = await loneControlPlane(directory, `dns: { listen: 127.0.0.1:${dns} }\n`)
    stack.defer(() => controlPlane.kill())
    await controlPlane.start()
    const shop = new ServedShop(controlPlane, { dns, metrics }, directory, stack)
    stack.use(await shop.#populate())
    return new ServedShop(controlPlane, { dns, metrics }, directory, stack.move())
  }

  /** A token that permits one thing. */
  async token(kind: 'metrics' | 'discovery' | 'join'): Promise<string> {
    return ((await this.ask('POST', '/v1/tokens', { kind })) as { token: string }).token
  }

  async call(method: string, path: string, body?: unknown, token = this.controlPlane.token()) {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const init = { method, headers, signal: AbortSignal.timeout(10_000) }
    const url = `${this.controlPlane.url}${path}`
    return fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) })
  }

  async ask(method: string, path: string, body?: unknown): Promise<unknown> {
    const answer = await this.call(method, path, body)
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`)
    return answer.json()
  }

  /** Runs dig against the control plane and returns what it prints. */
  async dig(...argv: readonly string[]): Promise<string> {
    const call = ['@127.0.0.1', '-p', String(this.dnsPort), '+tries=1', '+time=5', ...argv]
    return (await run('dig', call)).stdout
  }

  /** Replicas have the same port, so that they are on nodes of their own, which share this machine. */
  async scale(replicas: number): Promise<void> {
    const { metricsPort: host } = this
    const ports = { metrics: { port: 9100, host } }
    const documents = [service('shop', { replicas, ports })]
    await this.ask('POST', '/v1/apply', { documents })
    await waitFor(`${replicas} healthy instances`, healthyMs, async () => {
      const path = '/v1/discovery/default/shop'
      const { endpoints } = (await this.ask('GET', path)) as { endpoints: unknown[] }
      return endpoints.length === replicas
    })
  }

  async #populate(): Promise<AsyncDisposableStack> {
    const agents = new AsyncDisposableStack()
    for (const [index, address] of ['127.0.0.1', '127.0.0.2'].entries()) {
      const name = `n${index + 1}`
      const own = { ...facts, address, domain: { ...facts.domain, host: name } }
      const joined = await this.call(
        'POST',
        '/v1/agent/join',
        { name, facts: own },
        await this.token('join'),
      )
      const { token } = (await joined.json()) as { token: string }
      const agent = new GoodAgent()
      agents.use(agent)
      await agent.start(this.controlPlane.url, token, own)
    }
    await this.scale(2)
    return agents
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#stack.disposeAsync()
  }
}
