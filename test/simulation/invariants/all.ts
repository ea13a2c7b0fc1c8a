import { acknowledged } from './acknowledged.ts'
import { balance } from './balance.ts'
import { bounded } from './bounded.ts'
import { brake } from './brake.ts'
import { discovery } from './discovery.ts'
import { exclusive } from './exclusive.ts'
import { floor } from './floor.ts'
import { forward } from './forward.ts'
import { givesUp } from './gives-up.ts'
import { hardPlacement } from './hard-placement.ts'
import { healthyIsLeftAlone } from './healthy-is-left-alone.ts'
import { heardIsNotDead } from './heard-is-not-dead.ts'
import type { MakeInvariant } from './invariant.ts'
import { noFaultOfOurs } from './no-fault-of-ours.ts'
import { noNeedlessLoss } from './no-needless-loss.ts'
import { onePerSlot } from './one-per-slot.ts'
import { owners } from './owners.ts'
import { paced } from './paced.ts'
import { ports } from './ports.ts'
import { reasons } from './reasons.ts'
import { shares } from './shares.ts'
import { steps } from './steps.ts'
import { told } from './told.ts'
import { withdrawnBeforeStopped } from './withdrawn-before-stopped.ts'

/** Every promise that is held against what happens; `converges` and `rests` are the player's own. */
export const invariants: readonly MakeInvariant[] = [
  noFaultOfOurs,
  acknowledged,
  forward,
  hardPlacement,
  onePerSlot,
  exclusive,
  floor,
  withdrawnBeforeStopped,
  healthyIsLeftAlone,
  noNeedlessLoss,
  heardIsNotDead,
  brake,
  balance,
  paced,
  givesUp,
  ports,
  reasons,
  shares,
  steps,
  owners,
  told,
  discovery,
  bounded,
]
