import { agentMutations } from './agent.ts'
import { controlPlaneMutations } from './control-plane.ts'
import { leaseMutations } from './leases.ts'
import type { Mutation } from './mutation.ts'
import { withdrawalMutations } from './withdrawal.ts'

/** Every deliberate bug that the simulator is tried with. */
export const mutations: readonly Mutation[] = [
  ...leaseMutations,
  ...controlPlaneMutations,
  ...agentMutations,
  ...withdrawalMutations,
]
