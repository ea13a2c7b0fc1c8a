import { mayFollow, type Instance, type Revision } from '@bulkhead/shared'

/** Throws when a put would break what every reader relies on: a bug of the caller, never an operator's doing. */
export function assertInstanceMayBecome(before: Instance | undefined, after: Instance): void {
  if (before === undefined) return
  const broken = brokenRule(before, after)
  if (broken === null) return
  throw new Error(`Instance ${after.id}: ${broken}`)
}

function brokenRule(before: Instance, after: Instance): string | null {
  const fixed = ['service', 'slot', 'revision', 'createdAtMs'] as const
  const changed = fixed.find((field) => before[field] !== after[field])
  if (changed) return `${changed} never changes (${before[changed]} → ${after[changed]})`
  if (before.node !== null && before.node !== after.node) {
    return `its node never changes once set (${before.node} → ${after.node ?? 'none'})`
  }
  if (before.lostAtMs !== null && before.lostAtMs !== after.lostAtMs) {
    return 'what was given up stays given up'
  }
  const from = before.observed.state
  const to = after.observed.state
  if (from !== to && !mayFollow(from, to)) return `its state cannot go from ${from} to ${to}`
  return null
}

/** Throws when a revision that is kept would get another content. */
export function assertRevisionMayBecome(before: Revision | undefined, after: Revision): void {
  if (before === undefined) return
  if (before.specHash === after.specHash && before.templateHash === after.templateHash) return
  throw new Error(`Revision ${after.revision} of ${after.service} is immutable`)
}
