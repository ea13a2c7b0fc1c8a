export { Agent } from './agent.ts'
export type { AgentDeps, AgentSettings } from './agent-deps.ts'
export type { ContainerInfo } from './core/container.ts'
export type { ContainerSpec } from './core/container-spec.ts'
export { type NodeIdentity, ownership } from './core/ownership.ts'
export type {
  DiscoveryAnswer,
  DiscoveryHandler,
  DiscoveryRequest,
  Listen,
  Listening,
} from './discovery/listener.ts'
export {
  type ContainerStats,
  type Engine,
  EngineError,
  type EngineEvent,
  type Execution,
  type NetworkInfo,
  type OutputChunk,
} from './engine/engine.ts'
export type { Datagrams, DatagramSocket } from './session/datagrams.ts'
export type { Checker, CheckResult, ProbeTarget } from './health/checker.ts'
export type { JournalStorage } from './journal/storage.ts'
export { leaveMachine } from './leave.ts'
export { runAgent } from './main.ts'
export { type EngineReport, nodeFacts } from './node/facts.ts'
export type { AgentOptions } from './node/options.ts'
export type { Traffic, TrafficConsumer } from './traffic/consumer.ts'
export {
  type Connection,
  type ConnectionHandlers,
  RefusedByServer,
  type Transport,
} from './session/transport.ts'
