import { type Client, createClient, type ListName } from '@bulkhead/shared/client'

import { readContext } from '../api/context.ts'
import type { Cli } from '../cli.ts'
import { kindNamed, kindNames } from '../kinds/kinds.ts'

export interface Candidate {
  readonly value: string
  readonly about?: string
}

/** The shell offers files by itself. */
export const filesCandidate: Candidate = { value: ':files' }

/** Nobody waits longer for a completion. */
const timeoutMs = 2_000

const distinct = (values: readonly string[]): Candidate[] =>
  [...new Set(values)].toSorted().map((value) => ({ value }))

type Ask = (client: Client, signal: AbortSignal) => Promise<readonly string[]>

async function services(client: Client, signal: AbortSignal): Promise<readonly string[]> {
  const { items } = await client.list('services', {}, signal)
  const names = items.map(({ name }) => name)
  const isShared = (name: string): boolean => names.indexOf(name) !== names.lastIndexOf(name)
  return items.map(({ name, environment }) => (isShared(name) ? `${name}.${environment}` : name))
}

async function environments(client: Client, signal: AbortSignal): Promise<readonly string[]> {
  const { items } = await client.list('services', {}, signal)
  return items.map(({ environment }) => environment)
}

async function instances(client: Client, signal: AbortSignal): Promise<readonly string[]> {
  const { items } = await client.list('instances', {}, signal)
  return items.map(({ id }) => id)
}

async function nodes(client: Client, signal: AbortSignal): Promise<readonly string[]> {
  const { items } = await client.list('nodes', {}, signal)
  return items.map(({ name }) => name)
}

async function zones(client: Client, signal: AbortSignal): Promise<readonly string[]> {
  const { items } = await client.list('zones', {}, signal)
  return items.map(({ name }) => name)
}

const both: Ask = async (client, signal) => [
  ...(await services(client, signal)),
  ...(await instances(client, signal)),
]

const ofKinds: Readonly<Partial<Record<ListName | 'revisions', Ask>>> = {
  services,
  instances,
  nodes,
  zones,
  rollouts: services,
  endpoints: services,
  revisions: services,
}

/** By what an option or an argument is called; `COMMAND ARGUMENT` where the command matters. */
const asks: Readonly<Record<string, Ask>> = {
  environment: environments,
  zone: zones,
  node: nodes,
  service: services,
  instance: instances,
  'explain name': both,
  'logs name': both,
}

const kindsOf: Readonly<Record<string, readonly string[]>> = {
  'get kind': kindNames,
  'describe kind': ['service', 'instance', 'node', 'zone', 'rollout'],
  'delete kind': ['service', 'node'],
  'top kind': ['nodes', 'instances'],
  'schema kind': ['Service', 'ExternalService', 'Zones'],
}

function askFor(what: string, operands: readonly string[]): Ask | undefined {
  const argument = what.split(' ').at(-1) ?? ''
  const exact = asks[what] ?? asks[argument]
  if (exact !== undefined || argument !== 'name') return exact
  return ofKinds[kindNamed((operands[0] ?? '').split(',')[0] ?? '')]
}

/** Candidates for an option (by its name) or an argument (`COMMAND ARGUMENT`), most of them from the server. */
export async function namesFor(
  what: string,
  operands: readonly string[],
  cli: Cli,
  contextFile: string | undefined,
): Promise<readonly Candidate[]> {
  const kinds = kindsOf[what]
  if (kinds !== undefined) return kinds.map((value) => ({ value }))
  const ask = askFor(what, operands)
  if (ask === undefined) return []
  const { server, token } = await readContext(contextFile, cli.env)
  const { transport, clock } = cli
  const client = createClient({ server, token, transport, clock, timeoutMs })
  return distinct(await ask(client, cli.signal))
}
