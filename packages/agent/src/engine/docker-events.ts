import { ownership } from '../core/ownership.ts'
import type { EngineEvent } from './engine.ts'

/** What is asked for; everything else the engine keeps to itself. Labels are not: networks have none in events. */
export const eventFilters = {
  type: ['container', 'network'],
  event: ['start', 'die', 'oom', 'destroy', 'pause', 'unpause', 'disconnect'],
} as const

type Attributes = Readonly<Record<string, string>>

interface DockerEvent {
  readonly Type?: unknown
  readonly Action?: unknown
  readonly Actor?: { readonly ID?: unknown; readonly Attributes?: Attributes }
  readonly timeNano?: unknown
}

export interface ParsedEvent {
  readonly event: EngineEvent
  /** `SECONDS.NANOSECONDS`: from where to go on after a break. */
  readonly since: string
}

/** Null for what is no event of interest: containers are of interest when they bear all the given labels. */
export function parseEvent(value: unknown, wanted: Attributes): ParsedEvent | null {
  if (typeof value !== 'object' || value === null) return null
  const { Type, Action, Actor, timeNano } = value as DockerEvent
  const id = Actor?.ID
  if (typeof id !== 'string' || typeof timeNano !== 'number') return null
  const attributes = Actor?.Attributes ?? {}
  const event =
    Type === 'network'
      ? networkEvent(Action, attributes)
      : hasAll(attributes, wanted)
        ? containerEvent(Action, id, Math.trunc(timeNano / 1e6), attributes)
        : null
  // The number has lost its last digits; a moment earlier is safe, because events may be seen twice.
  const since = `${Math.trunc(timeNano / 1e9)}.${String(Math.trunc(timeNano % 1e9)).padStart(9, '0')}`
  return event === null ? null : { event, since }
}

const hasAll = (attributes: Attributes, wanted: Attributes): boolean =>
  Object.entries(wanted).every(([key, value]) => attributes[key] === value)

function networkEvent(action: unknown, attributes: Attributes): EngineEvent | null {
  const { container = '', name = '' } = attributes
  if (action === 'disconnect' && container !== '') {
    return { kind: 'disconnected', containerId: container }
  }
  if (action === 'destroy' && name !== '') return { kind: 'network-removed', network: name }
  return null
}

const kinds = {
  start: 'started',
  pause: 'paused',
  unpause: 'unpaused',
  oom: 'oom',
  destroy: 'removed',
} as const

function containerEvent(
  action: unknown,
  containerId: string,
  atMs: number,
  attributes: Attributes,
): EngineEvent | null {
  const labels = Object.fromEntries(
    Object.values(ownership).flatMap((key) => {
      const label = attributes[key]
      return label === undefined ? [] : [[key, label]]
    }),
  )
  const base = { containerId, labels, atMs }
  if (action === 'die') {
    return { kind: 'died', ...base, exitCode: Number(attributes['exitCode'] ?? 0) }
  }
  const known = Object.entries(kinds).find(([name]) => name === action)
  return known ? { kind: known[1], ...base } : null
}
