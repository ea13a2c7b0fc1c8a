import { counted, isLive, type ServiceKey } from '@bulkhead/shared'

import { neverFits } from '../../placement/core/never-fits.ts'
import type { PortRange } from '../../placement/core/ports.ts'
import { sidesOf } from '../../rollout/core/sides.ts'
import { activeShift } from '../../rollout/core/stages.ts'
import type { ClusterView } from '../../state/view.ts'

/**
 * Why the rollout that the service has just begun can never have its new instances beside the old ones, which
 * blue-green needs of all of them and a canary of a single one; null when nothing proves that. A canary of several
 * goes stop-first where there is no room.
 */
export function secondSetNeverFits(
  view: ClusterView,
  key: ServiceKey,
  portRange: PortRange,
): string | null {
  const service = view.services.get(key)
  const wanted = service && view.revisionOf(key, service.revision)
  const active = wanted && activeShift(view.openRolloutOf(key), wanted.spec)
  if (!wanted || !active) return null
  const { strategy } = active.shift
  const { replicas } = wanted.spec
  if (strategy === 'canary' && replicas !== 1) return null
  const side = sidesOf(view, wanted)
  const old = view
    .instancesOf(key)
    .filter((one) => isLive(one) && side(view.revisionOf(key, one.revision)?.templateHash) === 'old')
  if (old.length === 0) return null
  const reason = neverFits(view, key, wanted, portRange, new Set(old.map(({ id }) => id)))
  if (reason === null) return null
  return `${strategy} starts ${counted(replicas, 'instance')} beside the ${old.length} there ${old.length === 1 ? 'is' : 'are'}: ${reason}`
}
