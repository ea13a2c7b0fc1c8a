/**
 * Leases of exclusive instances. An agent holds its lease for `leaseMs` from the moment at which it sent the last
 * heartbeat that was answered; the control plane counts from the later moment at which it received that heartbeat.
 * So the agent's end comes first whatever the two clocks show, as long as they run at about the same rate.
 */

/** Clocks of two machines run at rates that differ by less than one part in this many (crystals: 5000). */
const driftParts = 100
/** For what is neither drift nor the time of the engine: the step of a timer, a busy processor. */
const slackMs = 1000

/** How long after `leaseMs` the control plane waits before it counts the lease as ended. */
export function leaseMarginMs(leaseMs: number): number {
  return Math.ceil(leaseMs / driftParts) + slackMs
}

/** When, after the last answered heartbeat was sent, an agent acts so that all is stopped when `leaseMs` are over. */
export function leaseStops(leaseMs: number): { readonly signalAfterMs: number; readonly killAfterMs: number } {
  return { signalAfterMs: Math.floor((leaseMs * 2) / 3), killAfterMs: Math.floor((leaseMs * 5) / 6) }
}
