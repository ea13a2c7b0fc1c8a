import { ToAgentMessage } from '@bulkhead/shared'
import { Compile } from 'typebox/schema'

const validator = Compile(ToAgentMessage)

/** A message of the control plane; null when it is none that this version understands. */
export function parseMessage(text: string): ToAgentMessage | null {
  try {
    const value: unknown = JSON.parse(text)
    return validator.Check(value) ? value : null
  } catch {
    return null
  }
}
