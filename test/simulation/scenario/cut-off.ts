import type { NodePlan, Scenario } from './scenario.ts'

const node = (index: number): NodePlan => ({
  name: `n${index}`,
  address: `10.0.0.${index}`,
  zones: ['presentation', 'application', 'data'],
  environments: [],
  labels: {},
  host: `h${index}`,
  cpuMillis: 4000,
  memoryMiB: 1024,
  skewMs: 0,
  preparedSuccessors: 0,
})

/** The node of the only exclusive instance is cut off, and its agent crashes so that each life of it is a short one. */
export const cutOffAndRestarted: Scenario = {
  seed: 7,
  nodes: [node(1), node(2)],
  troubleMs: 60_000,
  steps: [
    {
      atMs: 2000,
      kind: 'apply',
      source: {
        apiVersion: 'bulkhead/v1',
        kind: 'Service',
        name: 'store',
        environment: 'default',
        zone: 'data',
        image: 'registry.sim/store:good-0',
        replicas: 1,
        exclusive: true,
        resources: { cpu: 0.1, memory: '32Mi' },
      },
    },
    { atMs: 20_000, kind: 'cut', nodes: ['n1'], forMs: 40_000, direction: 'both' },
    { atMs: 29_000, kind: 'agent-crash', node: 'n1', forMs: 2500 },
    { atMs: 34_000, kind: 'agent-crash', node: 'n1', forMs: 1500 },
    { atMs: 37_000, kind: 'agent-crash', node: 'n1', forMs: 1500 },
  ],
}
