import type { Mutation } from './mutation.ts'

const source = (file: string): string => `packages/agent/src/${file}`

/** Deliberate bugs of the agent. */
export const agentMutations: readonly Mutation[] = [
  {
    name: 'conclusions are drawn while the engine does not answer',
    file: source('core/plan.ts'),
    find: 'if (!view.engineReady) return idle',
    replace: 'if (!view.engineReady && view.remains.length > 99) return idle',
  },
  {
    name: 'what runs is taken for a leftover before the first full set',
    file: source('core/claims.ts'),
    find: 'if (sawFullSet) return leftovers',
    replace: 'if (sawFullSet || leftovers.length > 0) return leftovers',
  },
  {
    name: 'what the full set lacks is kept',
    file: source('core/accept.ts'),
    find: 'const isDone = message.from === null || message.removes.includes(lineage.origin)',
    replace: 'const isDone = message.removes.includes(lineage.origin)',
  },
  {
    name: 'containers of another cluster are taken for its own',
    file: source('core/ownership.ts'),
    find: 'return labels[ownership.cluster] === identity.cluster && labels',
    replace: 'return labels',
  },
  {
    name: 'what does not stop when asked is never killed',
    file: source('core/plan-stop.ts'),
    find: 'if (!mustBeGone && !isOver(sinceMs, stop.graceMs, nowMs)) return waitUntil(sinceMs + stop.graceMs)',
    replace: 'if (!mustBeGone && !isOver(sinceMs, 1e12, nowMs)) return waitUntil(sinceMs + 1e12)',
  },
  {
    name: 'containers of failed instances are left',
    file: source('core/plan.ts'),
    find: 'return keepsNone || !isNewest || !hasEnded(container)',
    replace: 'return keepsNone && !isNewest && !hasEnded(container)',
  },
  {
    name: 'a server that has fallen silent is never left',
    file: source('session/session.ts'),
    find: 'if (silentMs > deadMs || oldestMs > unheardMs) {',
    replace: 'if (silentMs > 1e12 && oldestMs > unheardMs) {',
  },
  {
    name: 'a change is taken although the one before it is missing',
    file: source('session/session.ts'),
    find: 'if (message.from !== null && message.from !== this.#revision) {',
    replace: 'if (message.from !== null && this.#revision === -1) {',
    // A connection loses nothing in its midst, so that the other side has to.
    also: [
      {
        file: 'packages/controlplane/src/sessions/session.ts',
        find: '    this.#sentRevision = revision\n    this.send({ kind: \'assignments\', from,',
        replace: '    this.#sentRevision = revision\n    if (revision % 5 === 0) return\n    this.send({ kind: \'assignments\', from,',
      },
    ],
  },
  {
    name: 'reports are dropped while too many are on their way',
    file: source('session/outbox.ts'),
    find: 'if (this.#inFlight.size >= maxInFlight) return\n',
    replace: 'if (this.#inFlight.size >= 2) return this.#pending.clear()\n',
  },
  {
    name: 'the list of containers does not miss what has gone',
    file: source('engine/container-cache.ts'),
    find: 'if (listed.has(container.id) || this.#isNewer(container.id, version)) continue',
    replace: 'if (listed.has(container.id) || version >= 0) continue',
  },
  {
    name: 'an old list overwrites what was learnt since',
    file: source('engine/container-cache.ts'),
    find: 'return (this.#touched.get(id) ?? 0) > version',
    replace: 'return (this.#touched.get(id) ?? 0) > version + 1e9',
  },
  {
    name: 'a journal that cannot be written keeps the agent from beginning',
    file: source('journal/journal.ts'),
    find: 'await this.#rewrite().catch(() => this.#schedule(retryMs))',
    replace: 'await this.#rewrite()',
  },
  {
    name: 'a line of the journal follows half a one',
    file: source('journal/journal.ts'),
    find: 'if (this.#isWhole) await this.#append(batch, sync)',
    replace: 'await this.#append(batch, sync)',
  },
  {
    name: 'what is removed without a record of it is told to nobody',
    file: source('discards.ts'),
    find: 'for (const report of reportsOfRemoved(container, clock.nowMs())) onRemoved(report)',
    replace: 'if (isClaimed) for (const report of reportsOfRemoved(container, clock.nowMs())) onRemoved(report)',
  },
  {
    name: 'what was called gone is begun again',
    file: source('core/accept.ts'),
    find: 'if (gone) return newLineage(assignment, lastLink(gone, nowMs))',
    replace: 'if (gone && nowMs < 0) return newLineage(assignment, lastLink(gone, nowMs))',
    // Two of an exclusive slot do not run on one node, whoever wants it.
    also: [
      {
        file: source('core/rival.ts'),
        find: 'if (!template.exclusive) return null',
        replace: 'if (!template.exclusive || slot >= 0) return null',
      },
    ],
  },
  {
    name: 'names are answered from what was kept of old tables',
    file: source('dns/name-handler.ts'),
    find: 'if (current !== known || askers.size >= maxAskers) {',
    replace: 'if (current !== known && askers.size >= 1) {\n      known = current\n    } else if (askers.size >= maxAskers) {',
  },
  {
    name: 'a successor is started while its predecessor still runs',
    file: source('core/plan-running.ts'),
    find: "if (health.fatal !== '') return step(endFor(view, health.fatal))",
    replace: "if (health.fatal !== '') return planEnded(view, container, nowMs)",
    // Either alone does no harm.
    also: [
      {
        file: source('core/plan.ts'),
        find: 'const blocked = view.remains.some((container) => !hasEnded(container))',
        replace: 'const blocked = false',
      },
    ],
  },
]
