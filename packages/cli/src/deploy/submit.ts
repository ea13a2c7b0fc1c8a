import type { ApplyRequest, ApplyResult, PlanResult } from '@bulkhead/shared'
import type { Client } from '@bulkhead/shared/client'

import type { Toolkit } from '../toolkit.ts'
import { located, readInput } from './input.ts'

/** Thousands of documents, whose images a registry is asked for, take their time. */
const timeoutMs = 120_000

interface Results {
  readonly apply: ApplyResult
  readonly diff: ApplyResult
  readonly plan: PlanResult
}

export interface DocumentOptions {
  readonly file: readonly string[]
  readonly prune?: boolean
  readonly allowPending?: boolean
}

/** Reads documents and asks the control plane to apply them, or what that would do. */
export async function submit<V extends keyof Results>(
  verb: V,
  { file, prune, allowPending }: DocumentOptions,
  { cli, connect }: Pick<Toolkit, 'cli' | 'connect'>,
): Promise<{ readonly result: Results[V]; readonly client: Client }> {
  const read = await readInput(file, cli)
  const { client } = await connect()
  const body: ApplyRequest = {
    documents: read.documents,
    prune: prune === true,
    allowPending: allowPending === true,
  }
  const { signal } = cli
  const result = await located(read, () =>
    client.request<Results[V]>('POST', `/v1/${verb}`, { body, signal, timeoutMs }),
  )
  return { result, client }
}
