import type { EngineFacts, NodeCapacity } from '@bulkhead/shared'
import type { ContainerInfo as DockerSummary, ContainerInspectInfo } from 'dockerode'

import type { ContainerInfo } from '../core/container.ts'

const states = ['created', 'running', 'paused', 'restarting', 'removing', 'exited', 'dead'] as const

function stateOf(text: string): ContainerInfo['state'] {
  return states.find((state) => state === text) ?? 'dead'
}

/** Of a list: times, exit codes and errors are in `fromInspect` only. */
export function fromSummary(summary: DockerSummary): ContainerInfo {
  const exit = /^Exited \((\d+)\)/.exec(summary.Status)
  return {
    id: summary.Id,
    name: (summary.Names[0] ?? '').replace(/^\//, ''),
    labels: summary.Labels,
    state: stateOf(summary.State),
    startedAtMs: null,
    finishedAtMs: null,
    exitCode: exit ? Number(exit[1]) : null,
    oomKilled: false,
    error: '',
    ...onNetworks(stateOf(summary.State), summary.NetworkSettings?.Networks ?? {}),
  }
}

export function fromInspect(info: ContainerInspectInfo): ContainerInfo {
  const { State } = info
  const state = stateOf(State.Status)
  const hasExited = state === 'exited' || state === 'dead'
  return {
    id: info.Id,
    name: info.Name.replace(/^\//, ''),
    labels: info.Config.Labels,
    state,
    startedAtMs: timeOf(State.StartedAt),
    finishedAtMs: hasExited ? timeOf(State.FinishedAt) : null,
    exitCode: hasExited ? State.ExitCode : null,
    oomKilled: State.OOMKilled,
    error: State.Error,
    ...onNetworks(state, info.NetworkSettings.Networks),
  }
}

type Networks = Readonly<Record<string, { readonly IPAddress?: string | undefined }>>

function onNetworks(
  state: ContainerInfo['state'],
  networks: Networks,
): Pick<ContainerInfo, 'address' | 'isDetached'> {
  const runs = state === 'running' || state === 'paused'
  return {
    address: firstAddress(networks),
    isDetached: runs && Object.keys(networks).length === 0,
  }
}

function firstAddress(networks: Networks): string {
  for (const network of Object.values(networks)) {
    if (network.IPAddress) return network.IPAddress
  }
  return ''
}

/** The engine writes year 1 for never. */
function timeOf(text: string): number | null {
  const ms = Date.parse(text)
  return Number.isFinite(ms) && ms > 0 ? ms : null
}

/** The part of the engine's `/info` and `/version` that is of use. */
export interface DockerFacts {
  readonly ServerVersion: string
  readonly ApiVersion: string
  readonly OSType: string
  readonly OperatingSystem: string
  readonly Architecture: string
  readonly KernelVersion: string
  readonly CgroupVersion?: string
  readonly Driver: string
  readonly NCPU: number
  readonly MemTotal: number
}

export function toFacts(facts: DockerFacts): { engine: EngineFacts; capacity: NodeCapacity } {
  return {
    engine: {
      version: facts.ServerVersion,
      apiVersion: facts.ApiVersion,
      os: distribution(facts.OperatingSystem, facts.OSType),
      architecture: facts.Architecture,
      kernel: facts.KernelVersion,
      cgroup: `v${facts.CgroupVersion ?? '1'}`,
      storage: facts.Driver,
    },
    capacity: { cpuMillis: facts.NCPU * 1000, memoryBytes: facts.MemTotal },
  }
}

const distributions: readonly (readonly [RegExp, string])[] = [
  [/^red hat/i, 'rhel'],
  [/^amazon/i, 'amzn'],
  [/^oracle/i, 'ol'],
  [/^rocky/i, 'rocky'],
  [/^suse/i, 'sles'],
  [/^opensuse/i, 'opensuse'],
]

/** The id that os-release would have, from the name that people see: what selectors on `os` expect. */
function distribution(name: string, osType: string): string {
  const known = distributions.find(([pattern]) => pattern.test(name))
  if (known) return known[1]
  const word = /^[a-z]+/i.exec(name)
  return word ? word[0].toLowerCase() : osType
}
