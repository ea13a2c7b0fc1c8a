import type { Mutation } from './mutation.ts'

const source = (file: string): string => `packages/controlplane/src/${file}`

/** Deliberate bugs in how canary and blue-green move traffic. */
export const strategyMutations: readonly Mutation[] = [
  {
    name: 'strategies: errors of a new revision are not judged',
    file: source('reconcile/core/shift-judgement.ts'),
    find: 'if (errors * 100 <= maxErrorPercent * requests) return null',
    replace: 'if (errors >= 0) return null',
  },
  {
    name: 'strategies: a step that waits to be promoted goes on by itself',
    file: source('reconcile/core/shift-progress.ts'),
    find: '(shift.dueAtMs !== null && shift.dueAtMs <= nowMs)',
    replace: '(shift.dueAtMs === null || shift.dueAtMs <= nowMs)',
  },
  {
    name: 'strategies: a step is over as soon as it is reached',
    file: source('reconcile/core/shift-progress.ts'),
    find: 'if (!isOver || !isThere)',
    replace: 'if (!isThere)',
  },
  {
    name: 'strategies: a set that is sent nothing counts for the floor',
    file: source('reconcile/core/situation.ts'),
    find: 'if (this.share === null) return true',
    replace: 'if (this.share === null || this.replicas > 0) return true',
  },
  {
    name: 'strategies: tables do not follow rollouts',
    file: source('discovery/tables.ts'),
    find: "if (before?.shift || after?.shift) touch((after ?? before)?.service ?? '')",
    replace: "if (before?.shift && !after) touch(before.service)",
  },
  {
    name: 'strategies: new traffic is shared by the numbers of instances',
    file: source('discovery/core/weights.ts'),
    find: 'const split = splitWeights(share, ids.new.length, olds.length)',
    replace:
      'const split = splitWeights((100 * ids.new.length) / Math.max(ids.new.length + olds.length, 1), ids.new.length, olds.length)',
  },
  {
    name: 'strategies: what a rollout has left is sent nothing, however few the others are',
    file: source('discovery/core/weights.ts'),
    find: 'return Math.max(floor - bearing, 0)',
    replace: 'return bearing > 0 ? 0 : floor',
  },
  {
    name: 'strategies: what a rollout has left may stay in its slot instead of what serves',
    file: source('reconcile/core/slots.ts'),
    find: '{ new: 2, old: 1, stray: 0 }',
    replace: '{ new: 2, old: 1, stray: 1 }',
  },
  {
    name: 'strategies: what serves may go because of what a rollout has left',
    file: source('reconcile/core/roster.ts'),
    find: 'return this.#leaves(instance, floor, isStray)',
    replace: 'return this.#leaves(instance, floor, isStray || floor >= 0)',
  },
  {
    name: 'strategies: after a step there is no deadline',
    file: source('reconcile/core/shift-progress.ts'),
    find: 'if (shift.reachedAtMs === null || shift.promoted || shift.done) {',
    replace: 'if (shift.promoted) {',
  },
]
