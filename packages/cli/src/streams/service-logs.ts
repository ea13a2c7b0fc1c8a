import type { InstanceView, ServiceView } from '@bulkhead/shared'
import { BulkheadError, type Query } from '@bulkhead/shared/client'

import { shownService } from '../names/service-name.ts'
import { type Paint, styleFor } from '../output/style.ts'
import { type LogDeps, readLogs, readPrefixedLogs } from './log-reader.ts'

/** Before these there is no container that could have printed something. */
const without: readonly string[] = ['pending', 'assigned', 'pulling', 'created']
const hasPrinted = ({ state, node }: InstanceView): boolean =>
  node !== null && state !== 'lost' && !without.includes(state)

/** The container that an instance's last lines are from: while it waits to be started, that of the one before it. */
export function printedBy(instance: InstanceView): string | null {
  if (hasPrinted(instance)) return instance.id
  return without.includes(instance.state) ? instance.predecessor : null
}

const queryOf = ({ environment, name }: ServiceView) => ({ environment, service: name })

/** Each instance has its own colour, the same for all its lines. */
function painter({ cli }: LogDeps): () => Paint {
  const { cyan, yellow, green, magenta } = styleFor(cli.stdout, cli.env)
  const paints = [cyan, yellow, green, magenta]
  let used = 0
  return () => {
    used += 1
    return paints[(used - 1) % paints.length] ?? cyan
  }
}

/** One instance after the other, so that lines of different ones are not mixed up in their order. */
export async function readServiceLogs(
  service: ServiceView,
  query: Query,
  deps: LogDeps,
): Promise<void> {
  const { items } = await deps.client.list('instances', queryOf(service), deps.cli.signal)
  const bySlot = items.toSorted((a, b) => a.slot - b.slot)
  const found = [...new Set(bySlot.flatMap((instance) => printedBy(instance) ?? []))]
  const [only] = found
  const name = shownService(service)
  if (only === undefined) {
    const advice = `see bulkhead explain ${name}`
    throw new BulkheadError('not-found', `logs of ${name}: no instance has run yet`, advice)
  }
  if (found.length === 1) {
    await readLogs(only, query, deps)
    return
  }
  const nextPaint = painter(deps)
  for (const id of found) await readPrefixedLogs(id, nextPaint(), query, deps)
}

/** All instances at once, and those that come later as soon as they are there. Ends with the signal. */
export async function followServiceLogs(
  service: ServiceView,
  query: Query,
  deps: LogDeps,
): Promise<void> {
  const { client, cli } = deps
  const nextPaint = painter(deps)
  const attached = new Set<string>()
  const { promise: broken, reject } = Promise.withResolvers<never>()
  const attach = (instance: InstanceView, isNew: boolean): void => {
    if (attached.has(instance.id) || !hasPrinted(instance)) return
    if (isNew && ['stopped', 'failed'].includes(instance.state)) return
    attached.add(instance.id)
    const wanted = isNew ? { follow: true } : query
    readPrefixedLogs(instance.id, nextPaint(), wanted, deps).catch(reject)
  }
  const watch = async (): Promise<void> => {
    let isFirst = true
    for await (const update of client.watch('instances', queryOf(service), cli.signal)) {
      if (update.kind === 'interrupted') continue
      const items = update.kind === 'list' ? update.items : [update.event.item]
      for (const item of items) attach(item, !isFirst)
      isFirst = false
    }
  }
  await Promise.race([watch(), broken])
}
