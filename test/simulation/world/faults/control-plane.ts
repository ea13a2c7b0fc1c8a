import type { World } from '../world.ts'
import type { FaultHandlers, Until } from './handlers.ts'

type Kinds =
  | 'control-plane-crash'
  | 'control-plane-suspended'
  | 'control-plane-slow'
  | 'control-plane-clock'
  | 'store-full'
  | 'store-slow'

export function controlPlaneFaults(world: World, until: Until): FaultHandlers<Kinds> {
  const { controlPlane, controlHost: host, storeDisk, schedule } = world
  const trouble = (forMs: number): void => {
    world.controlTroubledAtMs = Math.max(world.controlTroubledAtMs, schedule.nowMs + forMs)
  }
  return {
    'control-plane-crash'({ kind, forMs }) {
      trouble(forMs)
      controlPlane.crash()
      until(kind, forMs, () => controlPlane.start())
    },
    'control-plane-suspended'({ forMs }) {
      trouble(forMs)
      host.suspendedUntilMs = schedule.nowMs + forMs
    },
    'control-plane-slow'({ kind, forMs, factor }) {
      trouble(forMs)
      host.slowness = factor
      until(kind, forMs, () => (host.slowness = 1))
    },
    'control-plane-clock'({ byMs }) {
      host.skewMs += byMs
    },
    'store-slow'({ kind, forMs, commitMs }) {
      trouble(forMs + commitMs)
      storeDisk.commitMs = commitMs
      until(kind, forMs, () => (storeDisk.commitMs = 0))
    },
    'store-full'({ kind, forMs }) {
      trouble(forMs)
      storeDisk.full = true
      until(kind, forMs, () => (storeDisk.full = false))
    },
  }
}
