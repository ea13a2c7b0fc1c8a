import type { BulkheadError, Client, ListName, Lists, Query } from '@bulkhead/shared/client'

/** A list that is kept up to date. */
export interface Followed<T> {
  readonly items: Map<string, T>
  isListed: boolean
}

export const followed = <T>(): Followed<T> => ({ items: new Map(), isListed: false })

/** Keeps a list up to date for as long as the signal allows. */
export async function follow<K extends ListName>(
  name: K,
  given: {
    readonly client: Client
    readonly query: Query
    readonly into: Followed<Lists[K]>
    readonly key: (item: Lists[K]) => string
    readonly onChange: (lost: BulkheadError | null) => void
    readonly signal: AbortSignal
  },
): Promise<never> {
  const { client, query, into, key, onChange, signal } = given
  for await (const update of client.watch(name, query, signal)) {
    if (update.kind === 'list') {
      into.items.clear()
      for (const item of update.items) into.items.set(key(item), item)
      into.isListed = true
    } else if (update.kind === 'change') {
      const { type, item } = update.event
      if (type === 'put') into.items.set(key(item), item)
      else into.items.delete(key(item))
    }
    onChange(update.kind === 'interrupted' ? update.error : null)
  }
  throw new Error('a watch ended by itself')
}
