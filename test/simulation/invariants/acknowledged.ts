import { isDeepStrictEqual } from 'node:util'

import type { MakeInvariant } from './invariant.ts'

/** What was acknowledged, and what was told to anybody, is there after every restart. */
export const acknowledged: MakeInvariant = (world) => {
  let newest = 0
  return {
    name: 'acknowledged',
    onAcknowledged({ revision, step }) {
      world.count('acknowledged')
      newest = Math.max(newest, revision)
      const { revision: stored } = world.storeDisk
      if (stored < revision) {
        world.fail(
          'acknowledged',
          `${step.kind} was acknowledged at revision ${revision}, the disk is at ${stored}`,
        )
      }
    },
    onCommit({ revision }) {
      if (world.storeDisk.revision < revision) {
        world.fail(
          'acknowledged',
          `revision ${revision} was told, the disk is at ${world.storeDisk.revision}`,
        )
      }
    },
    onBoot(view) {
      const { records } = world
      world.count('acknowledged')
      if (view.revision < Math.max(newest, records.at)) {
        world.fail(
          'acknowledged',
          `loaded revision ${view.revision}; ${newest} was acknowledged and ${records.at} told`,
        )
      }
      // Of what was on its way when the process ended nobody knows.
      if (view.revision !== records.at) return
      for (const [id, instance] of records.instance) {
        if (!isDeepStrictEqual(view.instances.get(id), instance))
          world.fail('acknowledged', `instance ${id} is another one after the restart`)
      }
      for (const [key, service] of records.service) {
        if (!isDeepStrictEqual(view.services.get(key), service))
          world.fail('acknowledged', `service ${key} is another one after the restart`)
      }
      for (const [id, rollout] of records.rollout) {
        if (!isDeepStrictEqual(view.rollouts.get(id), rollout))
          world.fail('acknowledged', `rollout ${id} is another one after the restart`)
      }
    },
  }
}
