import type { EventView } from '@bulkhead/shared'
import type { Client } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { events } from '../kinds/events.ts'
import type { Given, Kind, Look } from '../kinds/kind.ts'
import { formatAge } from '../output/quantity.ts'
import { writeTable } from '../output/write-table.ts'
import { writeHeading } from './write-fields.ts'

export interface DescribeDeps {
  readonly client: Client
  readonly cli: Cli
  readonly look: Look
}

const eventLimit = 15

/** `3m12s ago (2026-01-02T03:04:05Z)` */
export function shownTime(time: string | null, { nowMs }: Look): string | null {
  if (time === null) return null
  return `${formatAge(time, nowMs)} ago (${time.replace(/\.[0-9]+Z$/, 'Z')})`
}

/** A heading and a table, or nothing for no items. */
export async function writeSection<T>(
  title: string,
  kind: Pick<Kind<T>, 'heads' | 'rows'>,
  items: readonly T[],
  { cli, look }: DescribeDeps,
  given: readonly Given[] = [],
): Promise<void> {
  if (items.length === 0) return
  writeHeading(cli, title, look.style)
  await writeTable(cli.stdout, kind, items, { look, wide: false, given })
}

/** What happened to these subjects lately, oldest first. */
export async function writeEvents(subjects: readonly string[], deps: DescribeDeps): Promise<void> {
  const { client, cli } = deps
  const lists = await Promise.all(
    subjects.map((subject) => client.list('events', { subject, limit: eventLimit }, cli.signal)),
  )
  const found: EventView[] = lists.flatMap(({ items }) => items)
  const latest = found.toSorted((a, b) => a.revision - b.revision).slice(-eventLimit)
  await writeSection('Events', events, latest, deps)
}
