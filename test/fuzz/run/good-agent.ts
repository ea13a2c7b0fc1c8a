import {
  type Assignment,
  type FromAgentMessage,
  type InstanceReport,
  type NodeFacts,
  type ToAgentMessage,
  unobserved,
  wireVersion,
} from '@bulkhead/shared'

import type { Connection } from '../../../packages/agent/src/session/transport.ts'
import { sessionUrl, wsTransport } from '../../../packages/agent/src/session/ws-transport.ts'
import { expect } from './target.ts'

const beatMs = 500
/** An answer that takes longer means that somebody else is served at this node's cost. */
const answerMs = 10_000

/** An agent that does what it is told, at once and truly, and notices when it is not treated likewise. */
export class GoodAgent implements Disposable {
  readonly #assigned = new Map<string, Assignment>()
  #connection: Connection | null = null
  #closed = ''
  #sequence = 0
  #sentMs: number | null = null
  #slowestMs = 0
  #timer: NodeJS.Timeout | null = null

  async start(url: string, token: string, facts: NodeFacts): Promise<void> {
    this.#connection = await wsTransport.open(sessionUrl(url), token, {
      onMessage: (text) => this.#receive(JSON.parse(text) as ToAgentMessage),
      onClose: (reason) => (this.#closed = reason || 'without a reason'),
    })
    this.#send({ kind: 'hello', wireVersion, facts, bootId: 'good' })
    this.#timer = setInterval(() => this.#beat(), beatMs)
  }

  /** Throws when it was cut off, or was kept waiting. */
  inspect(): void {
    expect(this.#closed === '', `a good agent was cut off: ${this.#closed}`)
    const waitingMs = this.#sentMs === null ? 0 : performance.now() - this.#sentMs
    const slowestMs = Math.round(Math.max(this.#slowestMs, waitingMs))
    expect(slowestMs < answerMs, `a good agent waited ${slowestMs} ms for an answer`)
  }

  /** What its containers are called, by instance. */
  running(): ReadonlyMap<string, string> {
    return new Map([...this.#assigned.keys()].map((id) => [id, `container-of-${id}`]))
  }

  [Symbol.dispose](): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#connection?.close()
  }

  #send(message: FromAgentMessage): void {
    this.#connection?.send(JSON.stringify(message))
  }

  #beat(): void {
    if (this.#sentMs !== null) return
    this.#sentMs = performance.now()
    this.#sequence += 1
    this.#send({ kind: 'heartbeat', sequence: this.#sequence, engineProblem: '' })
  }

  #receive(message: ToAgentMessage): void {
    if (message.kind === 'welcome') this.#send({ kind: 'inventory', reports: [], unmanaged: 0 })
    if (message.kind === 'assignments') this.#follow(message)
    if (message.kind === 'stream-open') {
      const { stream } = message
      this.#send({ kind: 'stream-end', stream, exitCode: null, error: 'there is nothing to see' })
    }
    if (message.kind !== 'heartbeat-ack' || this.#sentMs === null) return
    this.#slowestMs = Math.max(this.#slowestMs, performance.now() - this.#sentMs)
    this.#sentMs = null
  }

  #follow({ from, upserts, removes }: Extract<ToAgentMessage, { kind: 'assignments' }>): void {
    if (from === null) this.#assigned.clear()
    for (const id of removes) this.#assigned.delete(id)
    const reports = upserts.map((assignment) => {
      if (assignment.desired === 'run') this.#assigned.set(assignment.instance, assignment)
      else this.#assigned.delete(assignment.instance)
      return reportOf(assignment)
    })
    this.#sequence += 1
    if (reports.length > 0) this.#send({ kind: 'status', sequence: this.#sequence, reports })
  }
}

function reportOf(assignment: Assignment): InstanceReport {
  const { instance, service, slot, revision, attempt, startAtMs, hostPorts } = assignment
  const runs = assignment.desired === 'run'
  return {
    instance,
    service,
    slot,
    revision,
    origin: instance,
    predecessor: null,
    attempt,
    startAtMs,
    hostPorts,
    observed: {
      ...unobserved,
      state: runs ? 'running' : 'stopped',
      health: runs ? 'healthy' : 'unknown',
      containerId: `container-of-${instance}`,
      startedAtMs: 1,
      healthySinceMs: runs ? 1 : null,
    },
  }
}
