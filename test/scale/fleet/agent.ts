import {
  wireVersion,
  type Assignment,
  type FromAgentMessage,
  type InstanceReport,
  type ToAgentMessage,
} from '@bulkhead/shared'

import { wsTransport } from '../../../packages/agent/src/session/ws-transport.ts'
import type { Connection } from '../../../packages/agent/src/session/transport.ts'
import type { PlannedNode } from '../cluster-plan.ts'
import { healthyReport } from '../reports.ts'

export interface AgentEvents {
  /** A heartbeat was answered after so long. */
  onHeartbeat(roundTripMs: number): void
  onEndpoints(text: string): void
}

/** Speaks the agent's side of the protocol; its containers are good and start at once. */
export class SimulatedAgent {
  readonly node: PlannedNode
  readonly reports = new Map<string, InstanceReport>()
  readonly #token: string
  readonly #events: AgentEvents
  #connection: Connection | null = null
  #heartbeats: NodeJS.Timeout | null = null
  #sequence = 0
  #sentAtMs = 0

  constructor(node: PlannedNode, token: string, events: AgentEvents) {
    this.node = node
    this.#token = token
    this.#events = events
  }

  get isConnected(): boolean {
    return this.#heartbeats !== null
  }

  async connect(url: string): Promise<void> {
    this.#connection = await wsTransport.open(url, this.#token, {
      onMessage: (text) => this.#receive(text),
      onClose: () => this.cut(),
    })
    this.#send({ kind: 'hello', wireVersion, facts: this.node.facts, bootId: 'boot' })
  }

  cut(): void {
    if (this.#heartbeats) clearInterval(this.#heartbeats)
    this.#heartbeats = null
    const connection = this.#connection
    this.#connection = null
    connection?.close()
  }

  /** Turns the instance's health over; returns whether it is healthy now. */
  turn(id: string): boolean {
    const before = this.reports.get(id)
    if (!before) return false
    const healthy = before.observed.health !== 'healthy'
    const observed = {
      ...before.observed,
      health: healthy ? ('healthy' as const) : ('unhealthy' as const),
      healthySinceMs: healthy ? Date.now() : null,
    }
    this.#report([{ ...before, observed }])
    return healthy
  }

  /** What is unhealthy becomes healthy. */
  heal(): void {
    for (const { instance, observed } of this.reports.values()) {
      if (observed.health === 'unhealthy') this.turn(instance)
    }
  }

  #receive(text: string): void {
    if (text.startsWith('{"kind":"endpoints"')) {
      this.#events.onEndpoints(text)
      const revision = Number(/"revision":(\d+)/.exec(text)?.[1])
      this.#send({ kind: 'endpoints-applied', revision })
      return
    }
    const message = JSON.parse(text) as ToAgentMessage
    switch (message.kind) {
      case 'welcome':
        this.#send({ kind: 'inventory', reports: [...this.reports.values()], unmanaged: 0 })
        this.#beat(message.heartbeatMs)
        return
      case 'assignments':
        this.#assign(message.from === null, message.upserts, message.removes)
        return
      case 'heartbeat-ack':
        this.#events.onHeartbeat(performance.now() - this.#sentAtMs)
        return
      case 'policy':
      case 'secrets':
      case 'endpoints':
      case 'status-ack':
      case 'stream-open':
      case 'stream-close':
        return
      default:
        message satisfies never
    }
  }

  #beat(heartbeatMs: number): void {
    if (this.#heartbeats) clearInterval(this.#heartbeats)
    this.#heartbeats = setInterval(() => {
      this.#sentAtMs = performance.now()
      this.#send({ kind: 'heartbeat', sequence: this.#sequence++, engineProblem: '' })
    }, heartbeatMs)
  }

  #assign(full: boolean, upserts: readonly Assignment[], removes: readonly string[]): void {
    const news: InstanceReport[] = []
    const wanted = new Set(upserts.map(({ instance }) => instance))
    for (const [id, report] of full ? this.reports : []) if (!wanted.has(id)) news.push(stopped(report))
    for (const assignment of upserts) {
      const known = this.reports.get(assignment.instance)
      if (assignment.desired === 'stop') news.push(stopped(known ?? reportOf(assignment)))
      else if (!known) news.push(reportOf(assignment))
    }
    if (news.length > 0) this.#report(news)
    for (const id of removes) this.reports.delete(id)
  }

  #report(reports: InstanceReport[]): void {
    for (const report of reports) this.reports.set(report.instance, report)
    this.#send({ kind: 'status', sequence: this.#sequence++, reports })
  }

  #send(message: FromAgentMessage): void {
    this.#connection?.send(JSON.stringify(message))
  }
}

const reportOf = (assignment: Assignment): InstanceReport =>
  healthyReport({ ...assignment, id: assignment.instance }, Date.now())

const stopped = (report: InstanceReport): InstanceReport => ({
  ...report,
  observed: { ...report.observed, state: 'stopped', health: 'unknown', finishedAtMs: Date.now() },
})
