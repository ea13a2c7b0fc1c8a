import type { MakeInvariant } from './invariant.ts'

/** A confirmation has an agent introduce itself anew: what was heard shortly before it counts for nothing. */
const anewMs = 5000

/** Nobody's word is taken that a node is dead whose agent is heard from: its containers may run. */
export const heardIsNotDead: MakeInvariant = (world) => {
  let bootedAtMs = 0
  const confirmedAtMs = new Map<string, number>()
  return {
    name: 'heard-is-not-dead',
    onBoot() {
      bootedAtMs = world.schedule.nowMs
    },
    onCommit({ changes }) {
      const { nowMs } = world.schedule
      for (const change of changes) {
        if (
          change.kind !== 'node' ||
          change.before?.confirmedDead !== false ||
          !change.after?.confirmedDead
        )
          continue
        const { key: name, after } = change
        const anewFromMs = (confirmedAtMs.get(name) ?? -Infinity) + anewMs
        confirmedAtMs.set(name, nowMs)
        // The commit has come to the disk some time after it was decided.
        const decidedAtMs = nowMs - (world.controlHost.nowMs() - after.livenessSinceMs)
        const { answeredFromMs: heardFromMs = -Infinity, answeredAtMs = -Infinity } =
          world.nodeOf(name)?.heartbeats ?? {}
        const isKnown =
          answeredAtMs <= decidedAtMs && decidedAtMs <= nowMs && heardFromMs > bootedAtMs
        if (!isKnown || nowMs < anewFromMs) continue
        world.count('heard-is-not-dead')
        const silentMs = decidedAtMs - heardFromMs
        if (silentMs < world.config.nodes.suspectAfterMs) {
          world.fail(
            'heard-is-not-dead',
            `${name} was confirmed dead ${Math.round(silentMs)} ms after its agent had said something`,
          )
        }
      }
    },
  }
}
