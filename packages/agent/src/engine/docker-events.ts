import { ownership } from '../core/ownership.ts'
import type { EngineEvent } from './engine.ts'

/** What is asked for; everything else the engine keeps to itself. */
export const eventActions = ['start', 'die', 'oom', 'destroy'] as const

interface DockerEvent {
  readonly Action?: unknown
  readonly Actor?: { readonly ID?: unknown; readonly Attributes?: Record<string, string> }
  readonly timeNano?: unknown
}

export interface ParsedEvent {
  readonly event: EngineEvent
  /** `SECONDS.NANOSECONDS`: from where to go on after a break. */
  readonly since: string
}

/** Null for what is no event of interest. */
export function parseEvent(value: unknown): ParsedEvent | null {
  if (typeof value !== 'object' || value === null) return null
  const { Action, Actor, timeNano } = value as DockerEvent
  const containerId = Actor?.ID
  if (typeof containerId !== 'string' || typeof timeNano !== 'number') return null
  const attributes = Actor?.Attributes ?? {}
  const atMs = Math.trunc(timeNano / 1e6)
  const labels = Object.fromEntries(
    Object.values(ownership).flatMap((key) => {
      const label = attributes[key]
      return label === undefined ? [] : [[key, label]]
    }),
  )
  const base = { containerId, labels, atMs }
  // The number has lost its last digits; a moment earlier is safe, because events may be seen twice.
  const since = `${Math.trunc(timeNano / 1e9)}.${String(Math.trunc(timeNano % 1e9)).padStart(9, '0')}`
  const event = eventOf(Action, base, attributes)
  return event === null ? null : { event, since }
}

function eventOf(
  action: unknown,
  base: { containerId: string; labels: Record<string, string>; atMs: number },
  attributes: Record<string, string>,
): EngineEvent | null {
  if (action === 'start') return { kind: 'started', ...base }
  if (action === 'oom') return { kind: 'oom', ...base }
  if (action === 'destroy') return { kind: 'removed', ...base }
  if (action !== 'die') return null
  return { kind: 'died', ...base, exitCode: Number(attributes['exitCode'] ?? 0) }
}
