import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/** What /proc tells about a process. */
export interface ProcessStatus {
  readonly pid: number
  readonly parent: number
  /** Since boot, in clock ticks: tells a process from a later one with the same id. */
  readonly startedAtTicks: number
  readonly zombie: boolean
}

/** Reads the status of a process, or undefined when there is none. */
export function readStatus(pid: number): ProcessStatus | undefined {
  let text: string
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return undefined
  }
  // The name, in parentheses, may contain anything; the fields after it are plain.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return {
    pid,
    zombie: fields[0] === 'Z',
    parent: Number(fields[1]),
    startedAtTicks: Number(fields[19]),
  }
}

/** Lists the ids of all processes. */
export function listPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
}

/** Finds the first child of a process. */
export function findChild(parent: number): number | undefined {
  return listPids().find((pid) => {
    const status = readStatus(pid)
    return status?.parent === parent && !status.zombie
  })
}

/** Lists the processes in the process namespace of `pid`, itself included. */
export function listNamespace(pid: number): readonly number[] {
  const namespace = readNamespace(pid)
  if (namespace === undefined) return []
  return listPids().filter((other) => readNamespace(other) === namespace)
}

/** Names the process namespace that a process is in, or undefined when it is gone. */
export function readNamespace(pid: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`)
  } catch {
    return undefined
  }
}

/** Identifies a process for as long as the machine runs, as ids are used again. */
export function identify(pid: number): string | undefined {
  const status = readStatus(pid)
  return status === undefined || status.zombie ? undefined : `${pid}:${status.startedAtTicks}`
}

/** Whether the process that {@link identify} named is still there. */
export function isAlive(identity: string): boolean {
  return identify(Number(identity.split(':')[0])) === identity
}
