import { agentMutations } from './agent.ts'
import { controlPlaneMutations } from './control-plane.ts'
import { leaseMutations } from './leases.ts'
import type { Mutation } from './mutation.ts'
import { strategyMutations } from './strategies.ts'
import { withdrawalMutations } from './withdrawal.ts'

/** Every deliberate bug that the simulator is tried with. */
export const mutations: readonly Mutation[] = [
  ...strategyMutations,
  ...leaseMutations,
  ...controlPlaneMutations,
  ...agentMutations,
  ...withdrawalMutations,
]
