import type { Assignment, Template } from '@bulkhead/shared'

export type TemplateChanges = Partial<Omit<Template, 'stop' | 'restart' | 'health'>> & {
  readonly stop?: Partial<Template['stop']>
  readonly restart?: Partial<Template['restart']>
  readonly health?: Partial<Template['health']>
}

export function template(changes: TemplateChanges = {}): Template {
  return {
    zone: 'application',
    image: { name: 'bb:1', reference: 'bb:1', digest: 'sha256:1', local: true },
    command: ['/bin/sleep'],
    args: ['3600'],
    env: {},
    ports: {},
    resources: { cpuMillis: 100, memoryBytes: 64 * 1024 * 1024, pids: 64 },
    exclusive: false,
    secrets: [],
    volumes: [],
    security: {
      user: 1000,
      group: 1000,
      writable: ['/tmp'],
      capabilities: [],
      writableRoot: false,
    },
    generation: 0,
    ...changes,
    health: { startup: null, readiness: null, liveness: null, ...changes.health },
    restart: { delayMs: 1000, maxDelayMs: 60_000, resetAfterMs: 600_000, ...changes.restart },
    stop: { drainMs: 5000, signal: 'SIGTERM', graceMs: 10_000, ...changes.stop },
  }
}

export function assignment(changes: Partial<Assignment> = {}): Assignment {
  return {
    instance: 'web-0-aaaaaaaa',
    service: 'default/web',
    slot: 0,
    revision: 1,
    desired: 'run',
    cause: '',
    startAtMs: 0,
    attempt: 0,
    hostPorts: {},
    template: template(),
    ...changes,
  }
}

export const readiness = {
  check: { kind: 'tcp', port: 'http' },
  intervalMs: 1000,
  timeoutMs: 500,
  failures: 2,
  successes: 1,
} as const

export const ports = { http: { port: 80, protocol: 'tcp', host: null } } as const
