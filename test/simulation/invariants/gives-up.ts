import type { Commit } from '../../../packages/controlplane/src/state/view.ts'
import type { MakeInvariant } from './invariant.ts'

type Change = Commit['changes'][number]
type InstanceChange = Extract<Change, { kind: 'instance' }>

/** A rollout goes no further after three failures in a row; drains and the like may begin the count anew now and then. */
const mostFailures = 5

const fails = ({ before, after }: InstanceChange): boolean =>
  after?.observed.state === 'failed' &&
  before?.observed.state !== 'failed' &&
  after.desired === 'run' &&
  after.lostAtMs === null

/** A rollout whose instances fail again and again in a slot does not just go on. */
export const givesUp: MakeInvariant = (world) => {
  const { records, controlHost } = world
  /** By rollout and slot. */
  const failures = new Map<string, number>()
  /** When our own clock is set back, what fails after that is called older than the last progress. */
  const excused = new Set<string>()
  let skewMs = controlHost.skewMs

  /** The rollout that the instance is of, as long as it goes on. */
  function rolloutOf({ service, revision }: NonNullable<InstanceChange['after']>): string | null {
    const wanted = records.wanted(service)
    const own = records.revision.get(`${service}@${revision}`)
    if (!wanted || own?.templateHash !== wanted.templateHash) return null
    const id = `${service}@${wanted.revision}`
    return records.rollout.get(id)?.phase === 'progressing' ? id : null
  }

  /** Nearly so long that its failure counts as the first one. */
  function ranLong(instance: NonNullable<InstanceChange['after']>): boolean {
    const { startedAtMs, finishedAtMs } = instance.observed
    const { resetAfterMs = 0 } = records.revisionOf(instance)?.template.restart ?? {}
    return startedAtMs !== null && finishedAtMs !== null && finishedAtMs - startedAtMs > 0.8 * resetAfterMs
  }

  return {
    name: 'gives-up',
    onCommit({ changes }) {
      if (controlHost.skewMs < skewMs) {
        for (const { id, phase } of records.rollout.values()) {
          if (phase === 'progressing') excused.add(id)
        }
      }
      skewMs = controlHost.skewMs
      for (const change of changes) {
        if (change.kind !== 'instance' || !change.after) continue
        const { after } = change
        const rollout = rolloutOf(after)
        if (rollout === null || excused.has(rollout)) continue
        const key = `${rollout} ${after.slot}`
        if (after.lostAtMs !== null || ranLong(after)) failures.delete(key)
        if (!fails(change)) continue
        world.count('gives-up')
        const count = (failures.get(key) ?? 0) + 1
        failures.set(key, count)
        if (count > mostFailures) {
          world.fail('gives-up', `${rollout} goes on after ${count} failures in a row in slot ${after.slot}`)
        }
      }
    },
  }
}
