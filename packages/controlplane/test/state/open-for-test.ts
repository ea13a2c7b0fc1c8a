import { openState, type State, type StateDeps } from '../../src/state/state.ts'
import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { ControlledStore } from './controlled-store.ts'
import { silent, stoppedClock } from './fixtures.ts'

export interface OpenedForTest {
  readonly state: State
  readonly store: ControlledStore
  readonly fatal: Error[]
}

/** A state on a store in memory whose commits the test controls. */
export async function openForTest(
  changes: Partial<StateDeps> = {},
  medium = new MemoryStore(),
): Promise<OpenedForTest> {
  const store = new ControlledStore(medium)
  const fatal: Error[] = []
  const state = await openState({
    store,
    clock: stoppedClock,
    logger: silent,
    newClusterId: () => 'cluster-1',
    onFatal: (error) => fatal.push(error),
    ...changes,
  })
  return { state, store, fatal }
}

export const admin = { actor: 'admin' }
