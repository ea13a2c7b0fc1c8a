import { isGone, type Instance, type Revision } from '@bulkhead/shared'

import type { Usage } from '../view.ts'

/** What is handed out is the entry itself: a copy for each change would cost what the node holds. */
interface Entry extends Usage {
  cpuMillis: number
  memoryBytes: number
  instances: number
  readonly hostPorts: Set<string>
  /** Ports that more than one instance holds, where something went wrong before: how many others. */
  readonly shared: Map<string, number>
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
    return this.#entries.get(node) ?? unused
  }

  add(node: string, instance: Instance, revision: Revision | undefined): void {
    this.#change(node, instance, revision, 1)
  }

  remove(node: string, instance: Instance, revision: Revision | undefined): void {
    this.#change(node, instance, revision, -1)
  }

  #change(node: string, instance: Instance, revision: Revision | undefined, sign: 1 | -1): void {
    let entry = this.#entries.get(node)
    if (entry === undefined) {
      entry = { cpuMillis: 0, memoryBytes: 0, instances: 0, hostPorts: new Set(), shared: new Map() }
      this.#entries.set(node, entry)
    }
    const resources = revision?.template.resources
    entry.cpuMillis += sign * (resources?.cpuMillis ?? 0)
    entry.memoryBytes += sign * (resources?.memoryBytes ?? 0)
    entry.instances += sign
    for (const port of hostPortsOf(instance, revision)) {
      if (sign === 1) hold(entry, port)
      else leave(entry, port)
    }
    if (entry.instances === 0) this.#entries.delete(node)
  }
}

function hold({ hostPorts, shared }: Entry, port: string): void {
  if (hostPorts.has(port)) shared.set(port, (shared.get(port) ?? 0) + 1)
  else hostPorts.add(port)
}

function leave({ hostPorts, shared }: Entry, port: string): void {
  const others = shared.get(port)
  if (others === undefined) hostPorts.delete(port)
  else if (others === 1) shared.delete(port)
  else shared.set(port, others - 1)
}
