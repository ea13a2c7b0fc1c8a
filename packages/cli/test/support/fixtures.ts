import type {
  EndpointsView,
  EventView,
  InstanceView,
  NodeView,
  ObjectChange,
  RevisionView,
  RolloutView,
  ServiceView,
  ZoneView,
} from '@bulkhead/shared'

export const list = (...items: readonly unknown[]) => ({ json: { revision: 7, items } })

export const service = (given: Partial<ServiceView> = {}): ServiceView => ({
  name: 'web',
  environment: 'prod',
  zone: 'presentation',
  image: 'registry.internal/shop/web:1.4.2',
  digest: 'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
  revision: 3,
  replicas: { desired: 3, running: 3, healthy: 3, updated: 3 },
  status: 'converged',
  reason: '',
  deleting: false,
  address: '10.231.0.7',
  labels: { team: 'storefront' },
  createdAt: '2026-03-01T11:56:48.000Z',
  loosened: [],
  ...given,
})

export const instance = (given: Partial<InstanceView> = {}): InstanceView => ({
  id: 'web-0-abcdefgh',
  service: 'web',
  environment: 'prod',
  zone: 'presentation',
  node: 'n1',
  slot: 0,
  revision: 3,
  state: 'running',
  health: 'healthy',
  reason: '',
  containerId: 'c0ffee0123456789',
  image: 'registry.internal/shop/web:1.4.2',
  digest: 'sha256:0123',
  createdAt: '2026-03-01T11:55:00.000Z',
  startedAt: '2026-03-01T11:56:48.000Z',
  finishedAt: null,
  exitCode: null,
  attempt: 0,
  predecessor: null,
  endpoints: [{ port: 'http', address: '10.0.0.1', hostPort: 20001 }],
  ...given,
})

export const node = (given: Partial<NodeView> = {}): NodeView => ({
  name: 'n1',
  address: '10.0.0.1',
  zones: ['presentation'],
  environments: ['prod'],
  labels: { disk: 'ssd', gen: '5' },
  domain: { provider: 'acme', site: 'bonn', rack: 'r1', host: 'h1' },
  state: 'ready',
  reason: '',
  capacity: { cpuMillis: 4000, memoryBytes: 8 * 1024 ** 3 },
  used: { cpuMillis: 1500, memoryBytes: 768 * 1024 ** 2, instances: 3 },
  engine: {
    version: '28.2.2',
    apiVersion: '1.50',
    os: 'debian',
    architecture: 'x86_64',
    kernel: '6.1',
    cgroup: '2',
    storage: 'overlay2',
  },
  network: {
    enforced: true,
    enforcedReason: '',
    proxy: null,
    proxyReason: 'HAProxy is not installed; install the package haproxy and start the agent anew',
    namesReason: '',
  },
  agentVersion: '0.1.0',
  joinedAt: '2026-02-20T12:00:00.000Z',
  lastHeardAt: '2026-03-01T11:59:59.000Z',
  ...given,
})

export const rollout = (given: Partial<RolloutView> = {}): RolloutView => ({
  id: 'prod/web@3',
  service: 'web',
  environment: 'prod',
  from: 2,
  to: 3,
  phase: 'completed',
  reason: '',
  startedAt: '2026-03-01T11:56:00.000Z',
  deadlineAt: null,
  endedAt: '2026-03-01T11:56:48.000Z',
  history: [
    { at: '2026-03-01T11:56:00.000Z', text: 'begun' },
    { at: '2026-03-01T11:56:48.000Z', text: 'completed' },
  ],
  ...given,
})

export const event = (given: Partial<EventView> = {}): EventView => ({
  revision: 5,
  at: '2026-03-01T11:59:30.000Z',
  kind: 'Service',
  subject: 'prod/web',
  actor: 'admin',
  action: 'applied',
  reason: 'revision 3',
  ...given,
})

export const zone = (given: Partial<ZoneView> = {}): ZoneView => ({
  name: 'presentation',
  edge: true,
  reaches: ['application'],
  egress: [],
  nodes: 2,
  services: 1,
  ...given,
})

export const endpoints = (given: Partial<EndpointsView> = {}): EndpointsView => ({
  service: 'web',
  environment: 'prod',
  revision: 6,
  endpoints: [
    {
      instance: 'web-0-abcdefgh',
      node: 'n1',
      zone: 'presentation',
      port: 'http',
      address: '10.0.0.1',
      hostPort: 20001,
      weight: 100,
    },
  ],
  ...given,
})

export const revision = (given: Partial<RevisionView> = {}): RevisionView => ({
  service: 'web',
  environment: 'prod',
  revision: 3,
  current: true,
  image: 'registry.internal/shop/web:1.4.2',
  digest: 'sha256:0123',
  actor: 'admin',
  cause: 'applied',
  createdAt: '2026-03-01T11:56:00.000Z',
  ...given,
})

export const change = (given: Partial<ObjectChange> = {}): ObjectChange => ({
  kind: 'Service',
  name: 'web',
  environment: 'prod',
  action: 'unchanged',
  revision: 3,
  changes: [],
  warnings: [],
  ...given,
})
