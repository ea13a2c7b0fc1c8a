import type { Clock, InstanceReport, NodeFacts, ToAgentMessage } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { Beats } from './beats.ts'
import type { LeaseKeeper } from './lease-keeper.ts'
import type { Transport } from './transport.ts'

export type Message<K extends ToAgentMessage['kind']> = Extract<ToAgentMessage, { kind: K }>

/** What the session asks of the rest of the agent. */
export interface SessionHandlers {
  facts(): NodeFacts
  inventory(): {
    readonly reports: readonly InstanceReport[]
    readonly unmanaged: number
    /** The engine has not told yet what is there. */
    readonly isPartial: boolean
  }
  /** Why the engine does not answer; empty when it does. */
  engineProblem(): string
  /** Whether an answer may renew the lease of what is exclusive here. */
  mayRenew(): boolean
  welcome(message: Message<'welcome'>): void
  assignments(message: Message<'assignments'>): void
  policy(message: Message<'policy'>): void
  secrets(message: Message<'secrets'>): void
  /** The agent says itself when everything goes by them. */
  endpoints(message: Message<'endpoints'>): void
  streamOpen(message: Message<'stream-open'>): void
  streamClose(stream: number): void
  /** The node is no part of the cluster any more. */
  removed(): void
  /** Nothing can be sent any more: what was under way on behalf of this session ends. */
  disconnected(): void
}

export interface SessionDeps {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly logger: Logger
  readonly transport: Transport
  readonly lease: LeaseKeeper
  readonly beats: Beats
  readonly handlers: SessionHandlers
}

export interface SessionOptions {
  readonly url: string
  readonly token: string
  /** Random, new with each start of the process. */
  readonly bootId: string
}
