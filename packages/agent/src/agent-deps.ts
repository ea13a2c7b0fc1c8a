import type { Clock, NodeFacts } from '@bulkhead/shared'
import type { Logger } from 'pino'

import type { NodeIdentity } from './core/ownership.ts'
import type { Forwarding } from './core/visible-names.ts'
import type { Listen } from './discovery/listener.ts'
import type { NameServing } from './dns/name-serving.ts'
import type { Engine } from './engine/engine.ts'
import type { Checker } from './health/checker.ts'
import type { JournalStorage } from './journal/storage.ts'
import type { Kernel } from './network/kernel.ts'
import type { Machine } from './network/machine.ts'
import type { EngineReport, NodeProblems } from './node/facts.ts'
import type { ProxyServiceDeps } from './proxy/proxy-service.ts'
import type { Datagrams } from './session/datagrams.ts'
import type { Transport } from './session/transport.ts'
import type { TrafficConsumer } from './traffic/consumer.ts'

/** The world as the agent sees it. A simulator passes its own. */
export interface AgentDeps {
  readonly clock: Clock
  /** In [0, 1). */
  readonly random: () => number
  readonly logger: Logger
  readonly engine: Engine
  readonly checker: Checker
  readonly transport: Transport
  readonly datagrams: Datagrams
  readonly storage: JournalStorage
  readonly listen: Listen
  readonly names: NameServing
  /** Whether connections to the addresses of services are passed on here. */
  readonly servesAddresses: () => boolean
  /** What sends traffic by endpoint tables, or lets it through, beside discovery. */
  readonly consumers: readonly TrafficConsumer[]
  /** Null: there is none on the node. */
  readonly proxy: Omit<ProxyServiceDeps, 'clock' | 'logger' | 'send' | 'node' | 'onServed'> | null
  /** What holds zones on this machine; null: nothing needs to, or nothing can and the node's facts say so. */
  readonly kernel: Kernel | null
  /** What of the machine's network others may change; null: nobody does. */
  readonly machine: Machine | null
}

export interface AgentSettings {
  readonly identity: NodeIdentity
  /** Of the session. */
  readonly url: string
  readonly token: string
  readonly bootId: string
  /** Where ports are published. */
  readonly address: string
  readonly facts: (report: EngineReport, problems: NodeProblems) => NodeFacts
  readonly startsAtOnce: number
  readonly preparedSuccessors: number
  readonly discoveryPort: number
  /** Where exposed services are offered; none: at the node's own address. */
  readonly edgeAddresses: readonly string[]
  /** Zones whose containers may have names of others looked up. */
  readonly dnsForward: Forwarding
  /** File that names the host's resolvers. */
  readonly resolvConf: string
  /** Family and name of the kernel's table. */
  readonly table: string
  /** Why the kernel cannot hold zones at the start; empty when it can. */
  readonly unenforced: string
}
