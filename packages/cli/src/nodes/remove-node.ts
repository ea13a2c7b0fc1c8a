import type { Client } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { checkName } from '../names/check-name.ts'

export function nodePath(name: string, action = ''): string {
  checkName('node', name)
  return `/v1/nodes/${encodeURIComponent(name)}${action}`
}

export async function removeNode(name: string, client: Client, cli: Cli): Promise<void> {
  await client.request('DELETE', nodePath(name), { signal: cli.signal })
  cli.stdout.write(`node ${name}: removed\n`)
}
