import type { Mutation } from './mutation.ts'

const source = (file: string): string => `packages/controlplane/src/sessions/${file}`

/** Deliberate bugs in taking traffic away before an instance is stopped. */
export const withdrawalMutations: readonly Mutation[] = [
  {
    name: 'orders to stop are not held back',
    file: source('core/assignments.ts'),
    find: "  instance.desired === 'stop' && !isWithdrawing(instance) ? 'stop' : 'run'",
    replace: '  instance.desired',
  },
  {
    name: 'one node that goes by the new table is enough',
    file: source('withdrawals.ts'),
    find: 'names = laggards(this.#audience(service, zone), revision)',
    replace: 'names = laggards([...this.#audience(service, zone)].slice(0, 1), revision)',
  },
  {
    name: 'a node without a session is not waited for',
    file: source('core/withdrawal.ts'),
    find: 'sentRevision !== null && (',
    replace: 'sentRevision === null || (',
  },
  {
    name: 'tables that have not been sent yet count as acknowledged',
    file: source('withdrawals.ts'),
    find: '    if (isPending(service)) return false\n',
    replace: '',
  },
  {
    name: 'an agent acknowledges tables when it hears them',
    file: 'packages/agent/src/traffic/keeper.ts',
    find: 'if (this.#lanes.length === 0) this.#tell(offer)',
    replace: 'this.#tell(offer)',
  },
]
