import {
  normaliseService,
  serviceKey,
  templateOf,
  unobserved,
  type Instance,
  type Node,
  type Observed,
  type Revision,
  type ServiceSource,
  type ServiceSpec,
} from '@bulkhead/shared'

import { changeRevision } from '../../src/rollout/core/new-revision.ts'
import type { Transaction } from '../../src/state/view.ts'

export const portRange = { first: 20_000, last: 20_099 }
export const gib = 1024 ** 3

type NodeChange = Partial<Omit<Node, 'facts'>> & {
  readonly facts?: Partial<Node['facts']>
  readonly domain?: Partial<Node['facts']['domain']>
}

/** A ready, open node of the application zone, on a machine of its own. */
export function aNode(name: string, { facts, domain, ...change }: NodeChange = {}): Node {
  return {
    name,
    facts: {
      address: '10.0.0.1',
      zones: ['application'],
      environments: ['default'],
      labels: {},
      domain: { provider: null, site: null, rack: null, host: `host-${name}`, ...domain },
      capacity: { cpuMillis: 4000, memoryBytes: 8 * gib },
      engine: null,
      agentVersion: '0.1.0',
      network: { enforced: true, enforcedReason: '', proxy: null, proxyReason: '' },
      ...facts,
    },
    labels: {},
    liveness: 'ready',
    livenessReason: '',
    livenessSinceMs: 0,
    confirmedDead: false,
    admittance: 'open',
    drainDueAtMs: null,
    joinedAtMs: 0,
    ...change,
  }
}

type SpecChange = Partial<ServiceSource> & { readonly name: string }

export const aSpec = (change: SpecChange): ServiceSpec =>
  normaliseService({
    apiVersion: 'bulkhead/v1',
    kind: 'Service',
    zone: 'application',
    image: 'registry.test/app:1',
    ...change,
  })

/** Applies a service as admission does; the digest follows the image's name. */
export function apply(
  tx: Transaction,
  change: SpecChange,
  { generation = 0, cause = 'applied' } = {},
): Revision {
  const spec = aSpec(change)
  const name = spec.image
  const image = { name, reference: name, digest: `sha256:${name}`, local: false }
  return changeRevision(tx, {
    key: serviceKey(spec.environment, spec.name),
    spec,
    source: { ...change },
    template: templateOf(spec, image, generation),
    actor: 'admin',
    cause,
  })
}

export const observing = (change: Partial<Observed>): Observed => ({ ...unobserved, ...change })

/** An instance of revision 1 that runs and has been healthy for a long time. */
export function anInstance(change: Partial<Instance> & Pick<Instance, 'id' | 'service'>): Instance {
  return {
    slot: 0,
    revision: 1,
    node: 'n1',
    desired: 'run',
    cause: 'test',
    withdrawDueAtMs: null,
    lostAtMs: null,
    hostPorts: {},
    predecessor: null,
    attempt: 0,
    startAtMs: 0,
    createdAtMs: 0,
    observed: observing({ state: 'running', health: 'healthy', startedAtMs: 0, healthySinceMs: 0 }),
    ...change,
  }
}
