import type { MakeInvariant } from './invariant.ts'

/** The brake may keep a node from being given up for a minute; after that its trouble is no reason any more. */
const rememberedMs = 90_000

/** No instance is given up with a node whose machine, agent and link were never in trouble: outages of ours are no loss. */
export const noNeedlessLoss: MakeInvariant = (world) => ({
  name: 'no-needless-loss',
  onCommit(commit) {
    for (const change of commit.changes) {
      if (change.kind !== 'instance' || !change.before || !change.after) continue
      const { before, after } = change
      if (before.lostAtMs !== null || after.lostAtMs === null || after.node === null) continue
      world.count('no-needless-loss')
      const node = world.nodeOf(after.node)
      if (!node || world.schedule.nowMs < node.silencedUntilMs + rememberedMs) continue
      world.fail(
        'no-needless-loss',
        `${after.id} was given up with ${after.node}, which was there all the time: ${after.cause}`,
      )
    }
  },
})
