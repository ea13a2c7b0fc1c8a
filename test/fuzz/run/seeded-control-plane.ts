import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { NodeFacts } from '@bulkhead/shared'

import { type LoneControlPlane, loneControlPlane } from '../../faults/lone-control-plane.ts'
import { type Answer, HttpSender } from './http.ts'
import { expect } from './target.ts'

const reviveMs = 5000
/** Far above what it needs for what the targets send; a leak gets there. */
const maxResidentBytes = 900 * 1024 * 1024

export const facts: NodeFacts = {
  address: '127.0.0.1',
  zones: ['application'],
  environments: [],
  labels: { disk: 'ssd' },
  domain: { provider: null, site: null, rack: null, host: 'h1' },
  capacity: { cpuMillis: 4000, memoryBytes: 8 * 1024 ** 3 },
  engine: null,
  agentVersion: '0',
  network: { enforced: true, enforcedReason: '', proxy: null, proxyReason: '' },
}

export const service = (name: string, more: object = {}): object => ({
  apiVersion: 'bulkhead/v1',
  kind: 'Service',
  name,
  zone: 'application',
  image: 'demo:1',
  ports: { http: 8080 },
  ...more,
})

/** A control plane as a process, with a few services and nodes in it, and the tokens of each kind. */
export class SeededControlPlane implements AsyncDisposable {
  readonly process: LoneControlPlane
  readonly http: HttpSender
  readonly admin: string
  readonly #directory: string

  private constructor(process: LoneControlPlane, directory: string) {
    this.process = process
    this.http = new HttpSender(process.url)
    this.admin = process.token()
    this.#directory = directory
  }

  static async start(): Promise<SeededControlPlane> {
    const directory = mkdtempSync(join(tmpdir(), 'bulkhead-fuzz-'))
    const process = await loneControlPlane(directory)
    try {
      await process.start()
      return new SeededControlPlane(process, directory)
    } catch (error) {
      await process.kill()
      rmSync(directory, { recursive: true, force: true })
      throw error
    }
  }

  call(method: string, path: string, body?: unknown, token = this.admin): Promise<Answer> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` }
    if (body !== undefined) headers['content-type'] = 'application/json'
    const sent = body === undefined ? null : JSON.stringify(body)
    return this.http.send({ method, path, headers, body: sent })
  }

  /** The answer's data; throws when it is refused. */
  async ask(method: string, path: string, body?: unknown, token = this.admin): Promise<unknown> {
    const { status, text } = await this.call(method, path, body, token)
    expect(status < 300, `${method} ${path}: ${status} ${text}`)
    return JSON.parse(text)
  }

  async items<T>(path: string): Promise<T[]> {
    return ((await this.ask('GET', path)) as { items: T[] }).items
  }

  async joinToken(): Promise<string> {
    return ((await this.ask('POST', '/v1/tokens', { kind: 'join' })) as { token: string }).token
  }

  /** Returns the node's token. */
  async join(name: string, more: Partial<NodeFacts> = {}): Promise<string> {
    const body = { name, facts: { ...facts, domain: { ...facts.domain, host: name }, ...more } }
    const joined = await this.ask('POST', '/v1/agent/join', body, await this.joinToken())
    return (joined as { token: string }).token
  }

  /**
   * Starts it again when the case before has ended or stuck it, so that the smallest such case can be found.
   * Returns whether it had to.
   */
  async revive(): Promise<boolean> {
    const signal = AbortSignal.timeout(reviveMs)
    const isAlive = await fetch(`${this.process.url}/healthz`, { signal }).then(
      ({ ok }) => ok,
      () => false,
    )
    if (isAlive) return false
    await this.process.kill()
    await this.process.start()
    return true
  }

  /** Throws unless it is alive, serves and has kept its memory together. */
  async inspect(): Promise<void> {
    const { status, text } = await this.call('GET', '/readyz')
    expect(status === 200, `not ready: ${status} ${text}`)
    const bytes = this.process.residentBytes()
    expect(bytes < maxResidentBytes, `${Math.round(bytes / 1024 / 1024)} MiB are resident`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.http[Symbol.dispose]()
    await this.process.kill()
    rmSync(this.#directory, { recursive: true, force: true })
  }
}
