import {
  unobserved,
  type Clock,
  type Instance,
  type InstanceState,
  type Node,
  type Revision,
  type Rollout,
  type Service,
  type ServiceKey,
  type ServiceSpec,
  splitServiceKey,
} from '@bulkhead/shared'

import type { Logger } from '../../src/logger.ts'
import type { Token } from '../../src/state/view.ts'

/** Records as small as the types allow; what a test is about comes in as `changes`. */

export const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} }

export const stoppedClock: Clock = {
  nowMs: () => 1_700_000_000_000,
  monotonicMs: () => 0,
  after: () => ({ cancel() {} }),
}

export function aService(key: ServiceKey, changes: Partial<Service> = {}): Service {
  return {
    key,
    ...splitServiceKey(key),
    revision: 1,
    serial: 0,
    addressIndex: null,
    deleting: false,
    status: 'converged',
    reason: '',
    createdAtMs: 1,
    ...changes,
  }
}

export interface RevisionOptions {
  readonly separate?: ServiceSpec['placement']['separate']
  readonly dependsOn?: readonly string[]
  readonly cpuMillis?: number
  readonly memoryBytes?: number
  readonly ports?: ServiceSpec['ports']
}

export function aRevision(
  service: ServiceKey,
  revision: number,
  options: RevisionOptions = {},
): Revision {
  const { separate = [], dependsOn = [], cpuMillis = 100, memoryBytes = 1000, ports = {} } = options
  const resources = { cpuMillis, memoryBytes, pids: 10 }
  const { environment, name } = splitServiceKey(service)
  const shared = {
    zone: 'application',
    command: [],
    args: [],
    env: {},
    ports,
    resources,
    health: { startup: null, readiness: null, liveness: null },
    restart: { delayMs: 1, maxDelayMs: 2, resetAfterMs: 3 },
    stop: { drainMs: 0, signal: 'SIGTERM', graceMs: 1 },
    exclusive: false,
    secrets: [],
    volumes: [],
    security: {
      user: 1,
      group: 1,
      writable: [],
      capabilities: [],
      writableRoot: false,
    },
  }
  const spec = {
    ...shared,
    name,
    environment,
    labels: {},
    image: 'app:1',
    replicas: 1,
    placement: { require: [], prefer: [], separate, spread: [] },
    update: {
      strategy: 'rolling',
      maxSurge: 1,
      maxUnavailable: 0,
      minHealthyTimeMs: 0,
      progressDeadlineMs: 1,
      onFailure: 'pause',
    },
    dependsOn,
    expose: [],
    scale: null,
  }
  const image = { name: 'app:1', reference: 'app@sha256:1', digest: 'sha256:1', local: false }
  return {
    service,
    revision,
    spec: spec as unknown as ServiceSpec,
    source: { kind: 'Service', name },
    template: { ...shared, image, generation: 0 },
    specHash: `spec-${revision}`,
    templateHash: `template-${revision}`,
    createdAtMs: revision,
    actor: 'admin',
    cause: 'applied',
  }
}

export function anInstance(
  id: string,
  changes: Partial<Instance> & { readonly state?: InstanceState } = {},
): Instance {
  const { state = 'assigned', ...fields } = changes
  return {
    id,
    service: 'prod/web',
    slot: 0,
    revision: 1,
    node: null,
    desired: 'run',
    cause: 'placed',
    withdrawDueAtMs: null,
    lostAtMs: null,
    hostPorts: {},
    predecessor: null,
    attempt: 0,
    startAtMs: 1,
    createdAtMs: 1,
    observed: { ...unobserved, state },
    ...fields,
  }
}

export interface NodeOptions {
  readonly zones?: readonly string[]
  readonly environments?: readonly string[]
}

export function aNode(name: string, options: NodeOptions = {}, changes: Partial<Node> = {}): Node {
  const { zones = ['application'], environments = [] } = options
  return {
    name,
    facts: {
      address: '10.0.0.1',
      zones: [...zones],
      environments: [...environments],
      labels: {},
      domain: { provider: null, site: null, rack: null, host: name },
      capacity: { cpuMillis: 4000, memoryBytes: 1_000_000 },
      engine: null,
      agentVersion: '0',
      network: { enforced: true, enforcedReason: '', proxy: null, proxyReason: '' },
    },
    labels: {},
    liveness: 'ready',
    livenessReason: '',
    livenessSinceMs: 1,
    confirmedDead: false,
    admittance: 'open',
    drainDueAtMs: null,
    joinedAtMs: 1,
    ...changes,
  }
}

export function aRollout(service: ServiceKey, to: number, changes: Partial<Rollout> = {}): Rollout {
  return {
    id: `${service}@${to}`,
    service,
    from: to === 1 ? null : to - 1,
    to,
    phase: 'progressing',
    reason: '',
    startedAtMs: 1,
    progressAtMs: 1,
    dueAtMs: null,
    endedAtMs: null,
    history: [],
    ...changes,
  }
}

export function aToken(id: string, changes: Partial<Token> = {}): Token {
  return {
    id,
    kind: 'join',
    hash: 'abc',
    node: null,
    zone: null,
    expiresAtMs: null,
    createdAtMs: 1,
    ...changes,
  }
}
