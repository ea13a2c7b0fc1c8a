import type { Instance } from '@bulkhead/shared'

import { ownership } from '../../../packages/agent/src/index.ts'
import type { SimNode } from '../world/node.ts'
import type { MakeInvariant } from './invariant.ts'

/** No host port is handed out while something that had it before still runs. */
export const ports: MakeInvariant = (world) => {
  const vouched = new Map<string, number>()

  function holderOf(node: SimNode, { id, hostPorts }: Instance): string | null {
    const wanted = new Set(Object.values(hostPorts))
    for (const { info, spec, program } of node.engine.running()) {
      const isOwn = info.labels[ownership.instance] === id
      if (isOwn || !spec.ports.some(({ hostPort }) => wanted.has(hostPort))) continue
      // An operator has said that the machine was off when it was not.
      if ((program?.startedAtMs ?? 0) <= (vouched.get(node.name) ?? -Infinity)) continue
      return info.name
    }
    return null
  }

  return {
    name: 'ports',
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
