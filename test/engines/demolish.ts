import { readdirSync, rmdirSync, statSync } from 'node:fs'
import { linkSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'

import { type Claim, claimsDirectory, describeClaim, isOwned } from './claim.ts'
import { run, waitFor } from './command.ts'
import { removeBridge } from './network.ts'
import { identify, isAlive } from './processes.ts'

const cgroupRoot = '/sys/fs/cgroup'
const removalTimeoutMs = 15_000
const staleAfterMs = 60_000

/** Lists the control groups of a run, in every hierarchy: one with v2, several with v1. */
export function listCgroups(claim: Claim): readonly string[] {
  const hierarchies = readdirSync(cgroupRoot, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(cgroupRoot, entry.name))
  return [cgroupRoot, ...hierarchies].flatMap((hierarchy) =>
    readdirSync(hierarchy)
      .filter((name) => name.startsWith(`bhe${claim.number}-`))
      .map((name) => join(hierarchy, name)),
  )
}

function removeCgroup(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroup(join(path, entry.name))
  }
  rmdirSync(path)
}

/** Small disks of a run that was killed are still mounted in its folder. */
async function unmountAll(claim: Claim): Promise<void> {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n')
  const points = mounts.map((line) => line.split(' ')[4] ?? '').filter((point) => point.startsWith(`${claim.directory}/`))
  for (const point of points.toReversed()) await run(['umount', '--lazy', point])
}

/** Removes what a run leaves behind once all its processes have ended. */
export async function demolish(claim: Claim): Promise<void> {
  await removeBridge(claim)
  await unmountAll(claim)
  await waitFor(`the control groups of ${claim.bridge} to be removable`, removalTimeoutMs, () => {
    for (const path of listCgroups(claim)) removeCgroup(path)
    return true
  })
  await rm(claim.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
}

/** Whether this process is the one that may clear away a run; only one at a time may. */
function takeSweep(claim: Claim): boolean {
  const lock = join(claim.directory, 'sweeper')
  const prepared = `${lock}.${process.pid}`
  writeFileSync(prepared, identify(process.pid) ?? '')
  try {
    linkSync(prepared, lock)
  } catch {
    if (isAlive(readFileSync(lock, 'utf8'))) return false
    unlinkSync(lock)
    linkSync(prepared, lock)
  } finally {
    unlinkSync(prepared)
  }
  // The run may have been cleared away, and its number taken anew, since we looked.
  return !isOwned(claim)
}

/**
 * Clears away what killed runs left. Their processes have died with the process that owned them;
 * the rest is recognised by its name and by the owner's being gone.
 */
export async function sweep(): Promise<void> {
  for (const name of listDirectory(claimsDirectory())) {
    const path = join(claimsDirectory(), name)
    if (name.startsWith('new-')) {
      const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: Date.now() }
      if (Date.now() - mtimeMs > staleAfterMs) rmSync(path, { recursive: true, force: true })
      continue
    }
    const claim = describeClaim(Number(name))
    if (isOwned(claim)) continue
    try {
      if (takeSweep(claim)) await demolish(claim)
    } catch (error) {
      // Another process may have cleared it away at the same time.
      if (listDirectory(claim.directory).length > 0) throw error
    }
  }
}

function listDirectory(path: string): readonly string[] {
  try {
    return readdirSync(path)
  } catch {
    return []
  }
}
