import type { Mutation } from './mutation.ts'

/** Deliberate bugs in what keeps exclusive instances alone. */
export const leaseMutations: readonly Mutation[] = [
  {
    name: 'an exclusive instance is replaced as soon as its node is lost',
    file: 'packages/controlplane/src/reconcile/core/lost-nodes.ts',
    find: 'if (last === undefined || isFenced(plan, slot, last)) return',
    replace: 'if (last === undefined) return',
  },
  {
    name: 'the agent ignores its lease',
    file: 'packages/agent/src/core/view.ts',
    find: "template.exclusive && (lease === 'ending' || lease === 'over')",
    replace: "template.exclusive && lease === 'over' && lineage.abandoned",
  },
  {
    name: 'a lease is counted from when the answer came, without any margin',
    file: 'packages/agent/src/session/lease-keeper.ts',
    find: 'this.#lease = leaseFrom(sentMs, this.#leaseMs)',
    replace: 'this.#lease = leaseFrom(this.#deps.clock.monotonicMs(), this.#leaseMs)',
    also: [
      {
        file: 'packages/shared/src/lease.ts',
        find: 'return Math.ceil(leaseMs / driftParts) + slackMs',
        replace: 'return 0',
      },
      {
        file: 'packages/shared/src/lease.ts',
        find: 'signalAfterMs: Math.floor((leaseMs * 2) / 3), killAfterMs: Math.floor((leaseMs * 5) / 6)',
        replace: 'signalAfterMs: leaseMs, killAfterMs: leaseMs',
      },
    ],
  },
  {
    name: 'heartbeats count before the full set has come',
    file: 'packages/agent/src/session/lease-keeper.ts',
    find: '    if (!this.#counts) return\n',
    replace: '',
  },
  {
    name: 'a process that has just started starts what is exclusive',
    file: 'packages/agent/src/core/view.ts',
    find: "template.exclusive && lease !== 'held'",
    replace: "template.exclusive && lease !== 'held' && lease !== 'presumed'",
  },
  {
    name: 'a successor of what was told to stop holds no slot',
    file: 'packages/controlplane/src/sessions/core/apply-reports.ts',
    find: 'const lingers = !isNext && !isOver(report.observed)',
    replace: 'const lingers = !isNext && tx.nowMs < 0',
  },
  {
    name: 'an exclusive slot takes somebody in before everybody else is gone',
    file: 'packages/controlplane/src/reconcile/core/scale.ts',
    find: `  const other = plan.roster.leaving(slot)[0]
  if (other === undefined) return null
  plan.wake`,
    replace: `  const other = plan.roster.leaving(slot)[99]
  if (other === undefined) return null
  plan.wake`,
  },
  {
    name: 'a session goes on in which the lease has ended',
    file: 'packages/controlplane/src/sessions/hub.ts',
    find: 'if (monitor.isLeaseOver(session.node)) {',
    replace: 'if (monitor.isLeaseOver(session.node) && session.node.length > 99) {',
    // An agent leaves a server that is silent for so long, so that both have to be wrong.
    also: [
      {
        file: 'packages/agent/src/session/session.ts',
        find: 'if (silentMs > deadMs || oldestMs > unheardMs) {',
        replace: 'if (silentMs > 1e12 && oldestMs > unheardMs) {',
      },
    ],
  },
]
