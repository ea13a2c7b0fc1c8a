import type { ServiceKey } from '../ids.ts'
import type { ExternalServiceSpec } from '../spec/spec.ts'

/** What runs outside containers of ours, and is reached under the same rules as a service. */
export interface ExternalService {
  readonly key: ServiceKey
  readonly spec: ExternalServiceSpec
  /** Of the state, when it was last applied. */
  readonly revision: number
  /** Place in the network of services, for life; null: the network was full. */
  readonly addressIndex: number | null
}
