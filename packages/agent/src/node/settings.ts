import { readFile } from 'node:fs/promises'

import { BulkheadError } from '@bulkhead/shared'
import { Compile } from 'typebox/schema'
import { parse } from 'yaml'

import { defaultLimits } from '../engine/docker-payload.ts'
import type { AgentOptions } from './options.ts'
import { ConfigFile, type Identity, type Tuning } from './schema.ts'

export const defaultTuning: Tuning = {
  startsAtOnce: 8,
  preparedSuccessors: 100,
  discoveryPort: 7071,
  dnsForward: true,
  resolvConf: '/etc/resolv.conf',
  edgeAddresses: [],
  ...defaultLimits,
  logLevel: 'info',
}

const defaultDocker = 'unix:///var/run/docker.sock'

/** Everything that an agent is started with; null: neither said nor known from an earlier start. */
export interface Settings {
  readonly data: string
  readonly server: string | null
  readonly joinToken: string | null
  readonly name: string | null
  readonly zones: readonly string[]
  readonly environments: readonly string[]
  readonly labels: Readonly<Record<string, string>>
  readonly host: string | null
  readonly docker: string
  readonly address: string | null
  readonly tuning: Tuning
}

/** Options win over the configuration file, and that over what is remembered. Contradictions are refused. */
export function mergeSettings(
  options: AgentOptions,
  file: ConfigFile,
  known: Identity | null,
): Settings {
  const name = options.name ?? file.name ?? known?.node ?? null
  if (known && name !== known.node) {
    throw new BulkheadError(
      'bad-usage',
      `--name ${name}: ${options.data} belongs to node ${known.node}`,
      'use another data directory, or leave the name out',
    )
  }
  const listOf = (given: readonly string[] | undefined, key: 'zones' | 'environments') =>
    given !== undefined && given.length > 0 ? given : (file[key] ?? known?.[key] ?? [])
  const hasLabels = options.labels !== undefined && Object.keys(options.labels).length > 0
  return {
    data: options.data,
    server: serverOf(options.server ?? file.server ?? known?.server ?? null),
    joinToken: options.token ?? null,
    name,
    zones: listOf(options.zones, 'zones'),
    environments: listOf(options.environments, 'environments'),
    labels: (hasLabels ? options.labels : undefined) ?? file.labels ?? known?.labels ?? {},
    host: options.host ?? file.host ?? known?.host ?? null,
    docker: dockerOf(options.docker ?? file.docker ?? known?.docker ?? defaultDocker),
    address: options.address ?? file.address ?? known?.address ?? null,
    tuning: { ...defaultTuning, ...file.tuning },
  }
}

function serverOf(server: string | null): string | null {
  if (server === null) return null
  const isUrl = URL.canParse(server) && /^https?:$/.test(new URL(server).protocol)
  if (isUrl) return server
  throw new BulkheadError('bad-usage', `--server ${server}: not a URL`, 'say http://HOST:PORT')
}

function dockerOf(docker: string): string {
  if (docker.startsWith('unix:///')) return docker
  const advice = 'an agent runs beside its engine: say unix:///PATH'
  throw new BulkheadError('bad-usage', `--docker ${docker}: not a Unix socket`, advice)
}

const configFile = Compile(ConfigFile)

/** Reads the file that `--config` names; without one, nothing is configured. */
export async function readConfig(path: string | undefined): Promise<ConfigFile> {
  if (path === undefined) return {}
  const value = (await readYaml(path)) ?? {}
  if (configFile.Check(value)) return value
  const [, problems] = configFile.Errors(value)
  const [first] = problems
  const where = first ? `${first.instancePath || '/'} ${first.message}` : 'not a configuration'
  throw new BulkheadError('bad-usage', `--config ${path}: ${where}`, 'correct the file')
}

/** Throws a BulkheadError when the file cannot be read or is no YAML. */
export async function readYaml(path: string): Promise<unknown> {
  try {
    return parse(await readFile(path, 'utf8')) as unknown
  } catch (error) {
    const why = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)
    throw new BulkheadError('bad-usage', `${path} cannot be read: ${why}`, 'correct the file')
  }
}
