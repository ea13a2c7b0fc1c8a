import type { EndpointTable, Policy } from '@bulkhead/shared'

/** What the node has to go by: the last good endpoint tables and rules. */
export interface Traffic {
  /** Of the tables. */
  readonly revision: number
  /** By `ENVIRONMENT/NAME`. */
  readonly tables: ReadonlyMap<string, EndpointTable>
  /** Null: none has been heard yet. */
  readonly policy: Policy | null
}

/** Something on the node that sends traffic, or lets it through, by endpoint tables. */
export interface TrafficConsumer {
  readonly name: string
  /**
   * Resolves when everything new goes by `traffic`, and nothing by an earlier one. Rejects when that could not be
   * done; it is asked again then. What is not there (a proxy that is not installed) has nothing to do.
   */
  serve(traffic: Traffic): Promise<void>
}
