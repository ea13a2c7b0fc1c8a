import { ownership } from '../../../packages/agent/src/index.ts'
import type { World } from '../world/world.ts'
import type { MakeInvariant } from './invariant.ts'

/** A node that was given up has its new tables so long after it is back, whatever the network does to the first try. */
const catchUpMs = 5000

/** Nodes that are not excused, and whose proxy still sends traffic to the instance. */
function senders(
  world: World,
  service: string,
  instance: string,
  isExcused: (node: string) => boolean,
): string[] {
  return world.nodes
    .filter(({ name, host, proxy }) => {
      const record = world.records.node.get(name)
      const isGivenUp = !record || record.liveness === 'lost' || record.confirmedDead
      return host.up && !isGivenUp && !isExcused(name) && proxy.sendsTo(service, instance)
    })
    .map(({ name }) => name)
}

/** Nothing that we stop ourselves is sent its stop signal while a live node sends it traffic, before its drain is over. */
export const withdrawnBeforeStopped: MakeInvariant = (world) => {
  /** When we decided to stop an instance, and how long it may drain. */
  const stops = new Map<string, { readonly atMs: number; readonly drainMs: number }>()
  /** When a node that had been given up or removed, and was not waited for, was last taken back. */
  const returnedAtMs = new Map<string, number>()
  return {
    name: 'withdrawn-before-stopped',
    onCommit({ changes }) {
      for (const change of changes) {
        if (change.kind === 'node' && (!change.before || change.before.liveness === 'lost')) {
          returnedAtMs.set(change.key, world.schedule.nowMs)
        }
        if (change.kind !== 'instance') continue
        const { key, before, after } = change
        if (!after) stops.delete(key)
        else if (before?.desired === 'run' && after.desired === 'stop') {
          const { service, revision } = after
          const spec = world.records.revision.get(`${service}@${revision}`)?.spec
          const drainMs = spec?.stop.drainMs ?? 0
          // The time to drain began with the decision, which may have waited for a slow disk since.
          const leftMs = (after.withdrawDueAtMs ?? Infinity) - world.controlHost.nowMs()
          stops.set(key, { atMs: world.schedule.nowMs, drainMs: Math.max(0, Math.min(leftMs, drainMs)) })
        }
      }
    },
    onEngineCall(node, call, id) {
      if (!call.startsWith('signal')) return
      const labels = node.engine.containers.get(id)?.info.labels ?? {}
      const instance = labels[ownership.instance] ?? ''
      const service = labels[ownership.service] ?? ''
      const record = world.records.instance.get(instance)
      const stop = stops.get(instance)
      if (!record || !stop || record.lostAtMs !== null || record.node !== node.name) return
      // What a probe has condemned, and what its lease no longer covers, is ended for that.
      if (record.observed.health !== 'healthy' || world.isSpoiled(instance)) return
      if (world.records.wanted(service)?.spec.exclusive) return
      if (world.schedule.nowMs >= stop.atMs + stop.drainMs) return
      world.count('withdrawn-before-stopped')
      const nodes = senders(world, service, instance, (name) => {
        const backAtMs = returnedAtMs.get(name) ?? -Infinity
        return backAtMs >= stop.atMs && world.schedule.nowMs < backAtMs + catchUpMs
      })
      if (nodes.length === 0) return
      world.fail(
        'withdrawn-before-stopped',
        `${instance} is told to end after ${Math.round(world.schedule.nowMs - stop.atMs)} ms while ${nodes.join(', ')} may send it traffic`,
      )
    },
  }
}
