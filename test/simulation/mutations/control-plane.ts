import type { Mutation } from './mutation.ts'

const source = (file: string): string => `packages/controlplane/src/${file}`

/** Deliberate bugs of the control plane. */
export const controlPlaneMutations: readonly Mutation[] = [
  {
    name: 'agents whose connection is held up are not heard',
    file: source('sessions/beats.ts'),
    find: "if (beat.kind === 'hears') this.#monitor.vouched(beat.node)",
    replace: "if (beat.kind === 'answer') this.#monitor.vouched(beat.node)",
  },
  {
    name: 'commits are told before they are on the disk',
    file: source('state/group-commit.ts'),
    find: `    this.#inFlight = group
    try {`,
    replace: `    this.#inFlight = group
    for (const written of group.written) this.#deps.onDurable(written)
    group.written.splice(0, group.written.length - 1)
    try {`,
  },
  {
    name: 'a refused commit stays in memory',
    file: source('state/group-commit.ts'),
    find: '    this.#deps.onFailed([...group.written, ...after.written], error, refused)\n',
    replace: '',
  },
  {
    name: 'what is taken back is taken back in the wrong order',
    file: source('state/open-transaction.ts'),
    find: 'changes.toReversed()',
    replace: 'changes',
  },
  {
    name: 'after a refused write the monitor never writes again',
    file: source('nodes/monitor.ts'),
    find: '        this.#onProblem(error)\n',
    replace: '        this.#onProblem(error)\n        return new Promise<void>(() => {})\n',
  },
  {
    name: 'nobody gets the time to come back after a start',
    file: source('nodes/core/liveness.ts'),
    find: 'inGrace: nowMs - listensSinceMs < config.restartGraceMs',
    replace: 'inGrace: false',
  },
  {
    name: 'separation binds only the service that asks for it',
    file: source('placement/core/separation.ts'),
    find: 'for (const { service: other, by } of view.separatedBy(service)) {',
    replace: 'for (const { service: other, by } of view.separatedBy(service).slice(0, 0)) {',
  },
  {
    name: 'what is being stopped no longer counts against separation',
    file: source('placement/core/presence.ts'),
    find: 'if (instance.node === null || isGone(instance)) return false',
    replace:
      "if (instance.node === null || isGone(instance) || instance.desired === 'stop') return false",
  },
  {
    name: 'required labels are not required',
    file: source('placement/core/filters/require.ts'),
    find: 'check: (node) => selectors.every((selector) => holds(selector, node)),',
    replace: 'check: (node) => selectors.every((selector) => holds(selector, node)) || true,',
  },
  {
    name: 'a node is overbooked with memory',
    file: source('placement/core/filters/resources.ts'),
    find: 'return capacity.memoryBytes - reserved.memoryBytes >= memoryBytes',
    replace: 'return capacity.memoryBytes >= memoryBytes',
  },
  {
    name: 'nodes that are not ready take instances',
    file: source('placement/core/filters/node-state.ts'),
    find: "check: (node) => nodeState(node) === 'ready',",
    replace: "check: (node) => nodeState(node) !== 'lost',",
  },
  {
    name: 'the last available instances may be stopped',
    file: source('reconcile/core/roster.ts'),
    find: '- (situation.isAvailable(instance) ? 1 : 0) >= floor',
    replace: '>= floor',
  },
  {
    name: 'a drain does not heed what must stay available',
    file: source('reconcile/core/drain.ts'),
    find: 'const outcome = replace(plan, replacement, floor)',
    replace: 'const outcome = replace(plan, replacement, 0)',
  },
  {
    name: 'the old instance is stopped as soon as the new one exists',
    file: source('reconcile/core/hand-over.ts'),
    find: `  if (plan.roster.mayStop(instance, plan.situation.floor)) {`,
    replace: `  if (plan.roster.mayStop(instance, 0)) {`,
  },
  {
    name: 'records of what is gone are kept for ever',
    file: source('reconcile/core/history.ts'),
    find: 'else plan.forget(instance)',
    replace: 'else if (instance.node === null) plan.forget(instance)',
  },
  {
    name: 'a rollout has no deadline',
    file: source('reconcile/core/rollout-progress.ts'),
    find: 'const dueAtMs = waits || deadlineMs === 0 ? null : progressAtMs + deadlineMs',
    replace: 'const dueAtMs = waits || deadlineMs > 0 ? null : progressAtMs + deadlineMs',
  },
  {
    name: 'agents are not told what is to stop',
    file: source('sessions/core/assignments.ts'),
    find: 'orderOf(before) !== orderOf(after) ||',
    replace: "orderOf(before) !== orderOf(after) && after.desired === 'run' ||",
  },
  {
    name: 'what an inventory lacks is not noticed',
    file: source('sessions/core/apply-reports.ts'),
    find: 'if (present.has(instance.id) || isGone(instance)) continue',
    replace: 'if (present.size >= 0 || isGone(instance)) continue',
  },
  {
    name: 'an old status overwrites a newer one',
    file: source('sessions/core/apply-reports.ts'),
    find: '!mayFollow(instance.observed.state, observed.state) || same',
    replace: 'same',
  },
  {
    name: 'what is beside a new instance in its slot counts as its successor',
    file: source('sessions/core/apply-reports.ts'),
    find: 'if (isAlone && isGone(origin)) return true',
    replace: 'if (isGone(origin)) return true',
  },
  {
    name: 'a move for balance that failed is made again at once',
    file: source('reconcile/core/refusals.ts'),
    find: 'const untilMs = failedAtMs + moveAgainMs',
    replace: 'const untilMs = failedAtMs',
  },
  {
    name: 'a node that is heard from may be confirmed dead',
    file: source('api/routes/nodes.ts'),
    find: "if (!isHeard && liveness !== 'down') return",
    replace: "if (!isHeard || liveness === 'down') return",
  },
  {
    name: 'what was confirmed dead and comes back stays dead',
    file: source('sessions/take-facts.ts'),
    find: 'if (same && isExcused && !node.confirmedDead) return',
    replace: 'if (same && isExcused) return',
  },
  {
    name: 'an inventory of an engine that has not told yet is taken for whole',
    file: source('sessions/core/apply-reports.ts'),
    find: 'if (isPartial) return\n',
    replace: 'if (isPartial && reports.length > 99) return\n',
  },
  {
    name: 'a successor takes a slot that was given away meanwhile',
    file: source('sessions/core/apply-reports.ts'),
    find: 'const isNext = wanted && !isTaken(tx, origin)',
    replace: 'const isNext = wanted',
  },
  {
    name: 'many nodes that fall silent at once are given up',
    file: source('nodes/core/liveness.ts'),
    find: 'const many = missing >= 2 &&',
    replace: 'const many = missing >= 99 &&',
  },
  {
    name: 'the rest of a mass is waited for as long as the mass',
    file: source('nodes/core/liveness.ts'),
    find: 'const lingers = brake !== null && missing > 0 && nowMs - brake.manyAtMs < restMs',
    replace: 'const lingers = brake !== null && missing > 0',
  },
  {
    name: 'the brake is never released',
    file: source('nodes/core/liveness.ts'),
    find: 'const braked = next !== null && nowMs - next.sinceMs < config.massLossHoldMs',
    replace: 'const braked = next !== null',
  },
  {
    name: 'moves for balance are not counted',
    file: source('reconcile/loop.ts'),
    find: 'const movesLeft = config.rebalance.maxAtOnce - this.#moving.size',
    replace: 'const movesLeft = config.rebalance.maxAtOnce',
  },
  {
    name: 'a store that takes no writes is held against the nodes',
    file: source('nodes/monitor.ts'),
    find: `  excuse(): void {
    this.#listensSinceMs = this.#clock.monotonicMs()`,
    replace: `  excuse(): void {
    this.#listensSinceMs += 0`,
  },
  {
    name: 'the end of an old connection ends the new session',
    file: source('sessions/hub.ts'),
    find: 'if (this.#sessions.get(session.node) === session) this.#sessions.delete(session.node)',
    replace: 'this.#sessions.delete(session.node)',
  },
]
