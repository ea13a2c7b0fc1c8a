import type { Target } from '../run/target.ts'
import { HostileAgents } from './hub.ts'

/** What agents say to the control plane, when they are not to be trusted. */
export async function openProtocol(): Promise<Target> {
  const hub = await HostileAgents.start()
  return {
    name: 'protocol',
    checks: hub.checks(),
    inspect: () => hub.inspect(),
    [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose](),
  }
}
