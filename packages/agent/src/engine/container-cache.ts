import { type ContainerInfo, hasEnded, isAlive, newContainer } from '../core/container.ts'
import type { EngineEvent } from './engine.ts'

type ContainerEvent = Extract<EngineEvent, { readonly labels: unknown }>

/**
 * The containers of this node as lists, events and the agent's own calls have told. A list is a little old when it
 * arrives: what was learnt since it was asked for wins.
 */
export class ContainerCache {
  readonly #containers = new Map<string, ContainerInfo>()
  readonly #byInstance = new Map<string, Set<string>>()
  readonly #touched = new Map<string, number>()
  readonly #instanceLabel: string
  #version = 0

  constructor(instanceLabel: string) {
    this.#instanceLabel = instanceLabel
  }

  /** To be taken before a list is asked for. */
  get version(): number {
    return this.#version
  }

  all(): readonly ContainerInfo[] {
    return [...this.#containers.values()]
  }

  get(id: string): ContainerInfo | undefined {
    return this.#containers.get(id)
  }

  ofInstance(instance: string): readonly ContainerInfo[] {
    const ids = this.#byInstance.get(instance)
    return ids ? [...ids].flatMap((id) => this.#containers.get(id) ?? []) : []
  }

  /** Takes a complete list that was asked for at `version`; returns the instances of which anything changed. */
  replace(list: readonly ContainerInfo[], version: number): ReadonlySet<string> {
    const changed = new Set<string>()
    const listed = new Set(list.map((container) => container.id))
    for (const container of this.all()) {
      if (listed.has(container.id) || this.#isNewer(container.id, version)) continue
      this.#delete(container)
      changed.add(this.#instanceOf(container))
    }
    for (const container of list) {
      if (this.#isNewer(container.id, version)) continue
      const before = this.#containers.get(container.id)
      const merged = before ? withDetails(container, before) : container
      if (before && isEqual(before, merged)) continue
      this.#set(merged)
      changed.add(this.#instanceOf(container))
    }
    this.#touched.clear()
    return changed
  }

  /** Takes what the agent itself did or was told about one container. */
  put(container: ContainerInfo): void {
    this.#touch(container.id)
    this.#set(container)
  }

  remove(id: string): void {
    this.#touch(id)
    const container = this.#containers.get(id)
    if (container) this.#delete(container)
  }

  /** Returns the instance that the event is about. */
  apply(event: ContainerEvent): string {
    const before = this.#containers.get(event.containerId)
    const instance = before ? this.#instanceOf(before) : (event.labels[this.#instanceLabel] ?? '')
    if (event.kind === 'removed') {
      this.remove(event.containerId)
      return instance
    }
    const after = afterEvent(
      before ?? newContainer({ id: event.containerId, name: '', labels: event.labels }),
      event,
    )
    if (after !== before) this.put(after)
    return instance
  }

  #touch(id: string): void {
    this.#version += 1
    this.#touched.set(id, this.#version)
  }

  #isNewer(id: string, version: number): boolean {
    return (this.#touched.get(id) ?? 0) > version
  }

  #set(container: ContainerInfo): void {
    this.#containers.set(container.id, container)
    const instance = this.#instanceOf(container)
    const ids = this.#byInstance.get(instance)
    if (ids) ids.add(container.id)
    else this.#byInstance.set(instance, new Set([container.id]))
  }

  #delete(container: ContainerInfo): void {
    this.#containers.delete(container.id)
    const instance = this.#instanceOf(container)
    const ids = this.#byInstance.get(instance)
    ids?.delete(container.id)
    if (ids?.size === 0) this.#byInstance.delete(instance)
  }

  #instanceOf(container: ContainerInfo): string {
    return container.labels[this.#instanceLabel] ?? ''
  }
}

/** Lists lack details that inspections and events have brought, and that hold as long as the state does. */
function withDetails(listed: ContainerInfo, known: ContainerInfo): ContainerInfo {
  if (listed.state !== known.state) return listed
  return {
    ...listed,
    startedAtMs: listed.startedAtMs ?? known.startedAtMs,
    finishedAtMs: listed.finishedAtMs ?? known.finishedAtMs,
    exitCode: listed.exitCode ?? known.exitCode,
    oomKilled: listed.oomKilled || known.oomKilled,
    error: listed.error === '' ? known.error : listed.error,
  }
}

function isEqual(a: ContainerInfo, b: ContainerInfo): boolean {
  return (
    a.state === b.state &&
    a.address === b.address &&
    a.exitCode === b.exitCode &&
    a.startedAtMs === b.startedAtMs &&
    a.oomKilled === b.oomKilled &&
    a.isDetached === b.isDetached
  )
}

function afterEvent(
  before: ContainerInfo,
  event: Exclude<ContainerEvent, { kind: 'removed' }>,
): ContainerInfo {
  if (event.kind === 'oom') return { ...before, oomKilled: true }
  if (event.kind === 'died') {
    if (hasEnded(before)) return before
    const { exitCode, atMs } = event
    return { ...before, state: 'exited', exitCode, finishedAtMs: atMs, address: '' }
  }
  if (event.kind === 'paused')
    return before.state === 'running' ? { ...before, state: 'paused' } : before
  if (event.kind === 'unpaused')
    return before.state === 'paused' ? { ...before, state: 'running' } : before
  // After a break in the stream events are told again: one that is older than what is known says nothing.
  const isOld = hasEnded(before) && event.atMs <= (before.finishedAtMs ?? event.atMs)
  if (isAlive(before) || isOld) return before
  return { ...before, state: 'running', startedAtMs: event.atMs, exitCode: null, oomKilled: false }
}
