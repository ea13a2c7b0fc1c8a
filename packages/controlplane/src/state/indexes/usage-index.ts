import { isGone, type Instance, type Revision } from '@bulkhead/shared'

import type { Usage } from '../view.ts'

interface Entry {
  cpuMillis: number
  memoryBytes: number
  instances: number
  /** How many instances hold each port: more than one only where something went wrong before. */
  readonly hostPorts: Map<string, number>
  /** What was last read, until something changes. */
  usage: Usage | null
}

const unused: Usage = { cpuMillis: 0, memoryBytes: 0, instances: 0, hostPorts: new Set() }

/** True when the instance is on its node or may still be: only an operator's word ends a given-up one. */
export function occupies(instance: Instance, nodeConfirmedDead: boolean): boolean {
  if (instance.node === null || isGone(instance)) return false
  return instance.lostAtMs === null || !nodeConfirmedDead
}

/** The instance's host ports as `tcp/8080`; a port that its revision does not know counts as TCP. */
export function hostPortsOf(instance: Instance, revision: Revision | undefined): string[] {
  return Object.entries(instance.hostPorts).map(
    ([name, port]) => `${revision?.template.ports[name]?.protocol ?? 'tcp'}/${port}`,
  )
}

/** What is reserved per node. Who adds an instance takes it away with the same revision. */
export class UsageIndex {
  readonly #entries = new Map<string, Entry>()

  usageOf(node: string): Usage {
    const entry = this.#entries.get(node)
    if (entry === undefined) return unused
    entry.usage ??= {
      cpuMillis: entry.cpuMillis,
      memoryBytes: entry.memoryBytes,
      instances: entry.instances,
      hostPorts: new Set([...entry.hostPorts.keys()].toSorted()),
    }
    return entry.usage
  }

  add(node: string, instance: Instance, revision: Revision | undefined): void {
    this.#change(node, instance, revision, 1)
  }

  remove(node: string, instance: Instance, revision: Revision | undefined): void {
    this.#change(node, instance, revision, -1)
  }

  #change(node: string, instance: Instance, revision: Revision | undefined, sign: 1 | -1): void {
    const entry = this.#entries.get(node) ?? {
      cpuMillis: 0,
      memoryBytes: 0,
      instances: 0,
      hostPorts: new Map<string, number>(),
      usage: null,
    }
    const resources = revision?.template.resources
    entry.usage = null
    entry.cpuMillis += sign * (resources?.cpuMillis ?? 0)
    entry.memoryBytes += sign * (resources?.memoryBytes ?? 0)
    entry.instances += sign
    for (const port of hostPortsOf(instance, revision)) {
      const holders = (entry.hostPorts.get(port) ?? 0) + sign
      if (holders === 0) entry.hostPorts.delete(port)
      else entry.hostPorts.set(port, holders)
    }
    if (entry.instances === 0) this.#entries.delete(node)
    else this.#entries.set(node, entry)
  }
}
