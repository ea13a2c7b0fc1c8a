import { readFileSync, readdirSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'

const ticksPerSecond = 100

/** Resident memory of a process in MiB. */
export function residentMiB(pid: number): number {
  const kib = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kib ?? Number.NaN) / 1024
}

function cpuTicks(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  return Number(fields[11]) + Number(fields[12])
}

/** Share of one core that a process used over a time, in percent. */
export async function cpuPercent(pid: number, forMs: number): Promise<number> {
  const before = cpuTicks(pid)
  await delay(forMs)
  return ((cpuTicks(pid) - before) / ticksPerSecond / (forMs / 1000)) * 100
}

/** The process itself or, when it is a wrapper that waits (nsenter, a shell), the Node.js process below it. */
export function nodeProcess(pid: number): number {
  const name = readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  if (/^(node|MainThread|bulkhead)/.test(name)) return pid
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    try {
      const parent = readFileSync(`/proc/${entry}/stat`, 'utf8').split(') ')[1]?.split(' ')[1]
      if (Number(parent) === pid) return nodeProcess(Number(entry))
    } catch {
      // It ended meanwhile.
    }
  }
  return pid
}
