import { isLive, nodeState, type Instance } from '@bulkhead/shared'

import type { Commit } from '../../../packages/controlplane/src/state/view.ts'
import type { MakeInvariant } from './invariant.ts'
import { objections } from './rules.ts'

/** What an agent goes on with in the same slot is where its predecessor was: nobody has placed it. */
function placedBy(commit: Commit): (instance: Instance) => boolean {
  const byAgents = new Set(
    commit.events
      .filter(
        ({ kind, action, actor }) =>
          kind === 'Instance' && action === 'created' && actor.startsWith('node:'),
      )
      .map(({ subject }) => subject),
  )
  return ({ id }) => !byAgents.has(id)
}

/** Services whose rules changed with the commit, as a rollback does: before or after the placement, nobody can tell. */
function changedBy(commit: Commit): ReadonlySet<string> {
  const changed = new Set<string>()
  for (const change of commit.changes) {
    if (change.kind === 'service' && change.before?.revision !== change.after?.revision) {
      changed.add(change.key)
    }
  }
  return changed
}

/** No instance is ever put where a hard rule forbids it; at rest none is there. */
export const hardPlacement: MakeInvariant = (world) => {
  const { records } = world
  const check = (instance: Instance, changed: ReadonlySet<string> = new Set()): void => {
    const node = records.node.get(instance.node ?? '')
    const revision = records.revisionOf(instance)
    if (!node || !revision) {
      world.fail(
        'hard-placement',
        `${instance.id} is on ${instance.node}, of which nothing is known`,
      )
      return
    }
    world.count('hard-placement')
    const found = objections(records, revision, node, instance.id).filter((text) => {
      const other = records.instance.get(text.split(' ', 1)[0] ?? '')
      return !other || other.service === instance.service || !changed.has(other.service)
    })
    if (found.length > 0)
      world.fail('hard-placement', `${instance.id} on ${node.name}: ${found.join('; ')}`)
  }
  return {
    name: 'hard-placement',
    onCommit(commit) {
      const isPlaced = placedBy(commit)
      const changed = changedBy(commit)
      for (const change of commit.changes) {
        if (change.kind !== 'instance' || !change.after || change.after.node === null) continue
        if ((change.before?.node ?? null) !== null || !isPlaced(change.after)) continue
        const node = records.node.get(change.after.node)
        if (node && nodeState(node) !== 'ready') {
          world.fail(
            'hard-placement',
            `${change.after.id} was put on ${node.name}, which is ${nodeState(node)}`,
          )
        }
        check(change.after, changed)
      }
    },
    onRest() {
      // What cannot be where it should, because of others, says so itself.
      if ([...records.service.values()].some(({ status }) => status !== 'converged')) return
      for (const instance of records.instance.values()) {
        if (instance.node !== null && isLive(instance)) check(instance)
      }
    },
  }
}
