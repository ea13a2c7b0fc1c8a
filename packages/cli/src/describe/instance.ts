import type { InstanceView } from '@bulkhead/shared'

import { paintState } from '../output/states.ts'
import { type DescribeDeps, shownTime, writeEvents } from './describe-deps.ts'
import { writeFields } from './write-fields.ts'

const isGone = ({ state }: InstanceView): boolean => ['stopped', 'failed', 'lost'].includes(state)

/** While an instance is replaced there are two in its slot. */
async function othersInSlot(
  { id, environment, service, slot }: InstanceView,
  { client, cli }: DescribeDeps,
): Promise<string> {
  const { items } = await client.list('instances', { environment, service }, cli.signal)
  const others = items.filter((one) => one.slot === slot && one.id !== id && !isGone(one))
  return others.map((other) => `${other.id} (${other.state})`).join(', ')
}

export async function describeInstance(instance: InstanceView, deps: DescribeDeps): Promise<void> {
  const { cli, look } = deps
  const { style } = look
  const state = (text: string): string => paintState(text, style)
  const others = await othersInSlot(instance, deps)
  const endpoints = instance.endpoints.map(
    ({ port, address, hostPort }) => `${port} at ${address}:${hostPort}`,
  )
  writeFields(
    cli,
    [
      ['Instance', instance.id, style.bold],
      ['Service', `${instance.service}.${instance.environment}`],
      ['Slot', String(instance.slot)],
      ['Revision', String(instance.revision)],
      ['Zone', instance.zone],
      ['Node', instance.node ?? 'none yet'],
      ['State', instance.state, state],
      ['Health', instance.health, state],
      ['Reason', instance.reason],
      ['Exit code', instance.exitCode === null ? null : String(instance.exitCode)],
      ['Attempt', instance.attempt === 0 ? null : String(instance.attempt)],
      ['Replaces', instance.predecessor],
      ['Same slot', others],
      ['Container', instance.containerId],
      ['Image', instance.image],
      ['Digest', instance.digest],
      ['Endpoints', endpoints.join(', ')],
      ['Created', shownTime(instance.createdAt, look)],
      ['Started', shownTime(instance.startedAt, look)],
      ['Finished', shownTime(instance.finishedAt, look)],
    ],
    style,
  )
  await writeEvents([instance.id], deps)
}
