import type { EngineFacts, NetworkFacts, NodeCapacity, NodeFacts } from '@bulkhead/shared'

import type { Identity } from './schema.ts'

const agentVersion = '0.1.0'

export interface EngineReport {
  readonly engine: EngineFacts | null
  readonly capacity: NodeCapacity
}

/** While the engine has never answered, nothing fits on the node. */
export const unknownEngine: EngineReport = {
  engine: null,
  capacity: { cpuMillis: 0, memoryBytes: 0 },
}

type ProxyFacts = Pick<NetworkFacts, 'proxy' | 'proxyReason'>
/** As long as nobody has looked. */
const noProxy: ProxyFacts = { proxy: null, proxyReason: '' }

/** Why something does not hold on this node; empty when it does. */
export interface NodeProblems {
  readonly zones: string
  readonly names: string
}

export const noProblems: NodeProblems = { zones: '', names: '' }

type NodeSettings = Pick<Identity, 'address' | 'zones' | 'environments' | 'labels' | 'host'>

/**
 * What the node says of itself. The failure domain's outer levels come from labels of their names.
 */
export function nodeFacts(
  settings: NodeSettings,
  report: EngineReport,
  problems: NodeProblems = noProblems,
  proxy: ProxyFacts = noProxy,
): NodeFacts {
  const { address, zones, environments, labels, host } = settings
  const { provider = null, site = null, rack = null } = labels
  return {
    address,
    zones: [...zones],
    environments: [...environments],
    labels: { ...labels },
    domain: { provider, site, rack, host },
    capacity: report.capacity,
    engine: report.engine,
    agentVersion,
    network: {
      enforced: problems.zones === '',
      enforcedReason: problems.zones,
      ...proxy,
      namesReason: problems.names,
    },
  }
}
