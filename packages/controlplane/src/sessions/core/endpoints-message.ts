import type { EndpointTable } from '@bulkhead/shared'

const texts = new WeakMap<EndpointTable, string>()

/** One table goes to many agents: its text is made once. */
function textOf(table: EndpointTable): string {
  let text = texts.get(table)
  if (text === undefined) {
    text = JSON.stringify(table)
    texts.set(table, text)
  }
  return text
}

/** An `endpoints` message as it is sent. */
export function endpointsMessage(
  full: boolean,
  revision: number,
  tables: readonly EndpointTable[],
): string {
  return `{"kind":"endpoints","full":${full},"revision":${revision},"tables":[${tables.map(textOf).join(',')}]}`
}
