import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import {
  type Assignment,
  type EndpointTable,
  FromAgentMessage,
  type InstanceReport,
  type ToAgentMessage,
  wireVersion,
} from '@bulkhead/shared'
import { Compile } from 'typebox/schema'
import { type WebSocket, WebSocketServer } from 'ws'

import { aPolicy } from './endpoints.ts'

const validator = Compile(FromAgentMessage)

type Message<K extends FromAgentMessage['kind']> = Extract<FromAgentMessage, { kind: K }>

export interface FakeServerOptions {
  readonly host?: string
  readonly port?: number
  readonly heartbeatMs?: number
  readonly cluster?: string
  readonly reaches?: Record<string, string[]>
}

/** A control plane that has no opinions: it assigns what a test says, takes reports, and says what it saw. */
export class FakeServer {
  readonly received: FromAgentMessage[] = []
  readonly reports = new Map<string, InstanceReport>()
  readonly history: { at: number; report: InstanceReport }[] = []
  readonly joins: { token: string; body: unknown }[] = []
  assignments = new Map<string, Assignment>()
  revision = 1
  acknowledges = true
  /** When set, what the agent reports of successors becomes an assignment of its own, as in the real thing. */
  adoptsSuccessors = true
  #options: Required<FakeServerOptions>
  #http: Server
  #sockets: WebSocketServer
  #socket: WebSocket | null = null
  #waiting: (() => void)[] = []

  constructor(options: FakeServerOptions = {}) {
    this.#options = {
      host: '127.0.0.1',
      port: 0,
      heartbeatMs: 200,
      cluster: 'test',
      reaches: { presentation: ['application'], application: ['data'], data: [] },
      ...options,
    }
    this.#http = createServer((request, response) => {
      void this.#join(request, response)
    })
    this.#sockets = new WebSocketServer({ noServer: true })
    this.#http.on('upgrade', (request, socket, head) => {
      if (request.headers.authorization !== 'Bearer node-token') {
        socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
        return
      }
      this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#session(ws))
    })
  }

  async listen(): Promise<string> {
    const { host, port } = this.#options
    await new Promise<void>((resolve) => this.#http.listen(port, host, resolve))
    const address = this.#http.address() as AddressInfo
    return `http://${host}:${address.port}`
  }

  /** Cuts the session; the agent will come again. */
  /** As when somebody removes the node. */
  removeNode(): void {
    for (const socket of this.#sockets.clients)
      socket.close(4002, 'the node was removed from the cluster')
  }

  cut(): void {
    this.#socket?.terminate()
  }

  get isConnected(): boolean {
    return this.#socket !== null
  }

  async close(): Promise<void> {
    this.cut()
    this.#sockets.close()
    this.#http.closeAllConnections()
    await new Promise<void>((resolve) => this.#http.close(() => resolve()))
  }

  send(message: ToAgentMessage): void {
    this.#socket?.send(JSON.stringify(message))
  }

  sendText(text: string): void {
    this.#socket?.send(text)
  }

  assign(...assignments: readonly Assignment[]): void {
    this.#change(assignments, [])
  }

  remove(...ids: readonly string[]): void {
    this.#change([], ids)
  }

  sendFull(): void {
    const upserts = [...this.assignments.values()]
    this.send({ kind: 'assignments', from: null, revision: this.revision, upserts, removes: [] })
  }

  endpoints(full: boolean, tables: EndpointTable[]): void {
    this.revision += 1
    this.send({ kind: 'endpoints', full, revision: this.revision, tables })
  }

  /** Resolves when `probe` holds, looked at after each message; rejects after `timeoutMs`. */
  async until(what: string, probe: () => boolean, timeoutMs = 10_000): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!probe()) {
      const left = deadline - performance.now()
      if (left <= 0) throw new Error(`waited ${timeoutMs} ms for ${what}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, 50))
        this.#waiting.push(() => {
          clearTimeout(timer)
          resolve()
        })
      })
    }
  }

  of<K extends FromAgentMessage['kind']>(kind: K): Message<K>[] {
    return this.received.filter((message): message is Message<K> => message.kind === kind)
  }

  #change(upserts: readonly Assignment[], removes: readonly string[]): void {
    const from = this.revision
    this.revision += 1
    for (const assignment of upserts) this.assignments.set(assignment.instance, assignment)
    for (const id of removes) this.assignments.delete(id)
    const revision = this.revision
    this.send({ kind: 'assignments', from, revision, upserts: [...upserts], removes: [...removes] })
  }

  #session(socket: WebSocket): void {
    this.#socket = socket
    socket.on('close', () => {
      if (this.#socket === socket) this.#socket = null
    })
    socket.on('message', (data: Buffer) => {
      const message: unknown = JSON.parse(String(data))
      if (!validator.Check(message)) throw new Error(`the agent sent nonsense: ${String(data)}`)
      this.#receive(message)
    })
  }

  #receive(message: FromAgentMessage): void {
    this.received.push(message)
    if (message.kind === 'hello') this.#welcome()
    if (message.kind === 'inventory') {
      this.#take(message.reports)
      this.sendFull()
    }
    if (message.kind === 'resync') this.sendFull()
    if (message.kind === 'status') {
      this.#take(message.reports)
      if (this.acknowledges) this.send({ kind: 'status-ack', sequence: message.sequence })
    }
    if (message.kind === 'heartbeat') {
      this.send({ kind: 'heartbeat-ack', sequence: message.sequence })
    }
    for (const wake of this.#waiting.splice(0)) wake()
  }

  #welcome(): void {
    const { heartbeatMs, reaches, cluster } = this.#options
    this.send({
      kind: 'welcome',
      wireVersion,
      cluster,
      node: 'node1',
      heartbeatMs,
      leaseMs: 15_000,
      registries: [],
    })
    this.send({ kind: 'policy', policy: aPolicy(reaches) })
  }

  #take(reports: readonly InstanceReport[]): void {
    for (const report of reports) {
      this.reports.set(report.instance, report)
      this.history.push({ at: performance.now(), report })
    }
    if (!this.adoptsSuccessors) return
    for (const report of reports) this.#adopt(report)
  }

  #adopt(report: InstanceReport): void {
    const origin = this.assignments.get(report.origin)
    if (!origin || report.origin === report.instance) return
    if (origin.desired === 'stop') return
    const { instance, attempt, startAtMs } = report
    const from = this.revision
    this.revision += 1
    const adopted = { ...origin, instance, attempt, startAtMs }
    this.assignments.delete(report.origin)
    this.assignments.set(instance, adopted)
    const removes = [report.origin]
    const { revision } = this
    this.send({ kind: 'assignments', from, revision, upserts: [adopted], removes })
  }

  async #join(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, body } = await this.#answerJoin(request)
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }

  async #answerJoin(request: IncomingMessage): Promise<{ status: number; body: unknown }> {
    let text = ''
    for await (const chunk of request) text += String(chunk)
    const token = request.headers.authorization ?? ''
    const body: unknown = JSON.parse(text)
    this.joins.push({ token, body })
    if (token !== 'Bearer join-token') {
      const detail = 'the token is not known'
      return { status: 401, body: { code: 'not-authenticated', detail, advice: 'get another' } }
    }
    if ((body as { name: string }).name === 'taken') {
      const detail = 'there is a node taken'
      return { status: 409, body: { code: 'conflict', detail, advice: 'choose another name' } }
    }
    return {
      status: 200,
      body: { token: 'node-token', node: 'node1', cluster: this.#options.cluster },
    }
  }
}
