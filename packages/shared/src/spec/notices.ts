import type { ServiceSpec } from './spec.ts'

/** Fields that loosen the hardened default, as people know them; empty for a hardened service. */
export function loosened(spec: ServiceSpec): string[] {
  const { capabilities, writableRoot } = spec.security
  return [
    ...capabilities.map((capability) => `security.capabilities: ${capability}`),
    ...(writableRoot ? ['security.writableRoot'] : []),
  ]
}

function usesSecrets(spec: ServiceSpec): boolean {
  const inEnv = Object.values(spec.env).some((value) => typeof value !== 'string')
  return inEnv || spec.secrets.length > 0
}

/** What the service asks for and this version does not do yet, or does in part: whole sentences. */
export function notEnforcedYet(spec: ServiceSpec): string[] {
  const notices: readonly (readonly [boolean, string])[] = [
    [
      usesSecrets(spec),
      'secrets in env and in files are stored as references, but none is delivered yet.',
    ],
    [spec.volumes.length > 0, 'volumes are stored, but none is mounted yet.'],
    [spec.scale !== null, 'scale is stored, but the number of replicas is not changed by it yet.'],
  ]
  return notices.filter(([applies]) => applies).map(([, text]) => text)
}
