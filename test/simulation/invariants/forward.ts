import { isDeepStrictEqual } from 'node:util'

import { isOpen, mayFollow, type Instance } from '@bulkhead/shared'

import type { Changed } from '../../../packages/controlplane/src/state/view.ts'
import type { MakeInvariant } from './invariant.ts'

function backward(before: Instance, after: Instance): string | null {
  const states = `${before.observed.state} → ${after.observed.state}`
  if (
    before.observed.state !== after.observed.state &&
    !mayFollow(before.observed.state, after.observed.state)
  )
    return states
  if (before.node !== null && after.node !== before.node)
    return `node ${before.node} → ${after.node}`
  if (before.desired === 'stop' && after.desired === 'run') return 'wanted again'
  if (before.lostAtMs !== null && after.lostAtMs !== before.lostAtMs)
    return 'given up and taken back'
  if (before.revision !== after.revision || before.slot !== after.slot)
    return 'another revision or slot'
  return null
}

function problemOf(change: Changed): string | null {
  if (change.kind === 'instance' && change.before && change.after)
    return backward(change.before, change.after)
  if (change.kind === 'service' && change.before && change.after) {
    if (change.after.revision < change.before.revision) return 'an older revision'
    if (change.after.serial < change.before.serial) return 'an older serial'
    if (change.before.deleting && !change.after.deleting) return 'deleted and taken back'
  }
  if (change.kind === 'rollout' && change.before && change.after) {
    if (!isOpen(change.before) && isOpen(change.after)) return 'opened again'
  }
  if (change.kind === 'revision' && change.before && change.after) return 'a revision was changed'
  return null
}

/** Revisions only count up, each commit builds on the one before, and no record goes back. */
export const forward: MakeInvariant = (world) => ({
  name: 'forward',
  beforeCommit(commit) {
    const { records } = world
    if (commit.revision <= records.at)
      world.fail('forward', `revision ${commit.revision} comes after ${records.at}`)
    for (const change of commit.changes) {
      if (change.kind === 'zones' || change.kind === 'token') continue
      if (change.kind === 'external' || change.kind === 'secret') continue
      const problem = problemOf(change)
      if (change.before && change.after) world.count('forward')
      if (problem !== null) world.fail('forward', `${change.kind} ${change.key}: ${problem}`)
      const known: unknown = records[change.kind].get(change.key)
      if (!isDeepStrictEqual(known, change.before))
        world.fail('forward', `${change.kind} ${change.key} does not follow from what it was`)
    }
  },
})
