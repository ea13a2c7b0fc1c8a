import type { World } from '../world.ts'
import type { FaultHandlers, Until } from './handlers.ts'

type Kinds =
  | 'control-plane-crash'
  | 'control-plane-suspended'
  | 'control-plane-slow'
  | 'control-plane-clock'
  | 'store-full'

export function controlPlaneFaults(world: World, until: Until): FaultHandlers<Kinds> {
  const { controlPlane, controlHost: host, storeDisk, schedule } = world
  return {
    'control-plane-crash'({ kind, forMs }) {
      controlPlane.crash()
      until(kind, forMs, () => controlPlane.start())
    },
    'control-plane-suspended'({ forMs }) {
      host.suspendedUntilMs = schedule.nowMs + forMs
    },
    'control-plane-slow'({ kind, forMs, factor }) {
      host.slowness = factor
      until(kind, forMs, () => (host.slowness = 1))
    },
    'control-plane-clock'({ byMs }) {
      host.skewMs += byMs
    },
    'store-full'({ kind, forMs }) {
      storeDisk.full = true
      until(kind, forMs, () => (storeDisk.full = false))
    },
  }
}
