import { isGone, type Instance } from '@bulkhead/shared'

import { ownership } from '../../../packages/agent/src/index.ts'
import type { SimNode } from '../world/node.ts'
import type { MakeInvariant } from './invariant.ts'

/** No host port is handed out while something that had it before still runs. */
export const ports: MakeInvariant = (world) => {
  const vouched = new Map<string, number>()
  /** Containers that an agent began while it could not write its journal, and so perhaps from an old one. */
  const begunBlindly = new Set<string>()

  function holderOf(node: SimNode, { id, hostPorts }: Instance): string | null {
    const wanted = new Set(Object.values(hostPorts))
    for (const { info, spec, program } of node.engine.running()) {
      const isOwn = info.labels[ownership.instance] === id
      if (isOwn || !spec.ports.some(({ hostPort }) => wanted.has(hostPort))) continue
      // What was called gone may be begun again from a journal that does not say so: nobody else can know.
      const record = world.records.instance.get(info.labels[ownership.instance] ?? '')
      if (begunBlindly.has(info.id) && (!record || isGone(record))) continue
      // An operator has said that the machine was off when it was not.
      if ((program?.startedAtMs ?? 0) <= (vouched.get(node.name) ?? -Infinity)) continue
      return info.name
    }
    return null
  }

  return {
    name: 'ports',
    onEngineCall(node, call, id) {
      if (call === 'start' && node.disk.full) begunBlindly.add(id)
    },
    onCommit(commit) {
      for (const change of commit.changes) {
        if (change.kind === 'node' && (change.after === undefined || change.after.confirmedDead)) {
          vouched.set(change.key, world.schedule.nowMs)
        }
        if (change.kind !== 'instance' || !change.after?.node || change.before?.node) continue
        const { after } = change
        const isSuccessor = commit.events.some(
          ({ kind, action, subject, actor }) =>
            kind === 'Instance' &&
            action === 'created' &&
            subject === after.id &&
            actor.startsWith('node:'),
        )
        const node = world.nodes.find(({ name }) => name === after.node)
        if (Object.keys(after.hostPorts).length > 0) world.count('ports')
        const holder = node && !isSuccessor ? holderOf(node, after) : null
        if (holder !== null) {
          const given = Object.values(after.hostPorts).join(', ')
          world.fail(
            'ports',
            `${after.id} was given ${given} on ${after.node}, which ${holder} has there`,
          )
        }
      }
    },
  }
}
