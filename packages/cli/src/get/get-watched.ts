import type { Client, ListName, Lists } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { type Kind, sortItems } from '../kinds/kind.ts'
import { listed } from '../kinds/kinds.ts'
import { isLive } from '../output/live-area.ts'
import { isCalled } from './get-once.ts'
import { liveTable } from './live-table.ts'
import { choiceOf, type GetRequest } from './request.ts'
import { structuredLog, tableLog } from './watch-log.ts'
import type { WatchView } from './watch-view.ts'

function viewFor<T>(kind: Kind<T>, request: GetRequest, cli: Cli): WatchView<T> {
  const { output } = request
  if (output === 'json' || output === 'yaml') return structuredLog(kind, output, cli)
  const choice = choiceOf(request)
  if (!isLive(cli) || kind.appends === true) return tableLog(kind, choice, cli)
  const isAll = request.query['all'] === true
  return liveTable(isAll ? { ...kind, isPast: () => false } : kind, choice, cli)
}

/** Shows what there is and then what changes, until the signal is aborted. */
export async function getWatched<K extends ListName>(
  name: K,
  request: GetRequest,
  { client, cli }: { readonly client: Client; readonly cli: Cli },
  isWanted: (item: Lists[K]) => boolean = () => true,
): Promise<void> {
  const kind: Kind<Lists[K]> = listed[name]
  const isAsked = (item: Lists[K]): boolean => isCalled(kind, item, request.name) && isWanted(item)
  const { newest = Infinity } = request
  const view = viewFor(kind, request, cli)
  const stop = new AbortController()
  const signal = AbortSignal.any([cli.signal, stop.signal])
  const follow = async (): Promise<void> => {
    for await (const update of client.watch(name, request.query, signal)) {
      view.lost(update.kind === 'interrupted' ? update.error : null)
      if (update.kind === 'list') {
        const items = sortItems(kind, update.items.filter(isAsked))
        await view.list(items.slice(Math.max(0, items.length - newest)), update.revision)
      } else if (update.kind === 'change' && isAsked(update.event.item)) {
        await view.change(update.event)
      }
    }
  }
  try {
    await Promise.race([follow(), view.run(signal)])
  } finally {
    stop.abort(new Error('the watch is over'))
    await view.end()
  }
}
