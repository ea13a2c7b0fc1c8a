import type { Target } from '../run/target.ts'
import { agentChecks } from './agent.ts'
import { HostileAgents } from './hub.ts'

/** What agents and the control plane say to each other, when either side is not to be trusted. */
export async function openProtocol(): Promise<Target> {
  const hub = await HostileAgents.start()
  return {
    name: 'protocol',
    checks: [...agentChecks, ...hub.checks()],
    inspect: () => hub.inspect(),
    [Symbol.asyncDispose]: () => hub[Symbol.asyncDispose](),
  }
}
