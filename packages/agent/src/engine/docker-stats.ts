import type { ContainerStats } from './engine.ts'

/** The part of the engine's answer that is used; members are missing for a container that does not run. */
export interface DockerStats {
  readonly cpu_stats?: CpuStats
  readonly precpu_stats?: CpuStats
  readonly memory_stats?: {
    readonly usage?: number
    readonly stats?: Readonly<Record<string, number>>
  }
  readonly pids_stats?: { readonly current?: number }
}

interface CpuStats {
  readonly cpu_usage?: { readonly total_usage?: number }
  readonly system_cpu_usage?: number
  readonly online_cpus?: number
}

export function toStats(stats: DockerStats): ContainerStats {
  const { cpu_stats: now, precpu_stats: before, memory_stats: memory, pids_stats: pids } = stats
  const used = (now?.cpu_usage?.total_usage ?? 0) - (before?.cpu_usage?.total_usage ?? 0)
  const system = (now?.system_cpu_usage ?? 0) - (before?.system_cpu_usage ?? 0)
  const share = system > 0 ? used / system : 0
  // Page cache that the kernel can take back at any time is not what people mean by used.
  const detail = memory?.stats ?? {}
  const cache = detail['total_inactive_file'] ?? detail['inactive_file'] ?? 0
  return {
    cpuMillis: Math.max(0, Math.round(share * (now?.online_cpus ?? 1) * 1000)),
    memoryBytes: Math.max(0, (memory?.usage ?? 0) - cache),
    pids: pids?.current ?? 0,
  }
}
