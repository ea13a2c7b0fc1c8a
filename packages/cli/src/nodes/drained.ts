import type { InstanceView } from '@bulkhead/shared'
import { BulkheadError, type Client } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { formatElapsed, formatLimit } from '../output/quantity.ts'
import { plural } from '../output/text.ts'

const isOnNode = ({ state }: InstanceView): boolean =>
  state !== 'stopped' && state !== 'failed' && state !== 'lost'

async function followInstances(
  name: string,
  client: Client,
  cli: Cli,
  signal: AbortSignal,
): Promise<void> {
  const left = new Map<string, InstanceView>()
  let shown = -1
  for await (const update of client.watch('instances', { node: name }, signal)) {
    if (update.kind === 'interrupted') continue
    if (update.kind === 'list') left.clear()
    const items = update.kind === 'list' ? update.items : [update.event.item]
    const isDelete = update.kind === 'change' && update.event.type === 'delete'
    for (const item of items) {
      if (!isDelete && isOnNode(item)) left.set(item.id, item)
      else left.delete(item.id)
    }
    if (left.size === 0) return
    if (left.size !== shown)
      cli.stdout.write(`node ${name}: ${plural(left.size, 'instance')} left\n`)
    shown = left.size
  }
}

/** Resolves when nothing runs on the node any more. Throws BulkheadError `timed-out`. */
export async function waitUntilDrained(
  name: string,
  timeoutMs: number,
  client: Client,
  cli: Cli,
): Promise<void> {
  const startMs = cli.clock.monotonicMs()
  const stop = new AbortController()
  const advice = `see bulkhead get instances --node ${name}`
  const message = `node ${name}: not drained after ${formatLimit(timeoutMs)}`
  const late = new BulkheadError('timed-out', message, advice)
  const timer = cli.clock.after(timeoutMs, () => stop.abort(late))
  try {
    await followInstances(name, client, cli, AbortSignal.any([stop.signal, cli.signal]))
  } finally {
    timer.cancel()
  }
  const took = formatElapsed(cli.clock.monotonicMs() - startMs)
  cli.stdout.write(`node ${name}: drained in ${took}\n`)
}
