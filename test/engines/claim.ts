import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'

import { identify, isAlive } from './processes.ts'

/** Everything that one run of test hosts owns on this machine has a name made of its number. */
export interface Claim {
  readonly number: number
  readonly directory: string
  readonly bridge: string
}

const highestNumber = 199
const ownerFile = 'owner'

/** The folder of all runs of this user's test hosts. */
export function claimsDirectory(): string {
  return join(tmpdir(), 'bulkhead-engines')
}

/** Describes the run with the given number, whether or not it exists. */
export function describeClaim(number: number): Claim {
  return { number, directory: join(claimsDirectory(), `${number}`), bridge: `bhe${number}` }
}

/** Names the outer end of a host's link, at most 15 characters as the kernel demands. */
export function linkOf(claim: Claim, index: number): string {
  return `bhe${claim.number}v${index}`
}

/** Names the control group that a host's containers run in. */
export function cgroupOf(claim: Claim, index: number): string {
  return `bhe${claim.number}-${index}`
}

/** The address of a host, or with 254 that of the bridge. */
export function addressOf(claim: Claim, index: number): string {
  return `10.99.${claim.number}.${index}`
}

/** Whether the process that made a run is still there. */
export function isOwned(claim: Claim): boolean {
  try {
    return isAlive(readFileSync(join(claim.directory, ownerFile), 'utf8'))
  } catch {
    return false
  }
}

function isSubnetUsed(number: number): boolean {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return addresses.some(({ address }) => address.startsWith(`10.99.${number}.`))
}

/**
 * Takes a free number for this process, seldom one that was just used. Renaming a prepared folder to its final name is
 * atomic, so two processes never get the same one.
 */
export function takeClaim(): Claim {
  mkdirSync(claimsDirectory(), { recursive: true, mode: 0o700 })
  const prepared = mkdtempSync(join(claimsDirectory(), 'new-'))
  writeFileSync(join(prepared, ownerFile), identify(process.pid) ?? '')
  for (let tried = 0; tried < highestNumber; tried += 1) {
    const number = ((process.pid + tried) % highestNumber) + 1
    if (isSubnetUsed(number)) continue
    const claim = describeClaim(number)
    try {
      renameSync(prepared, claim.directory)
      return claim
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : undefined
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error
    }
  }
  rmSync(prepared, { recursive: true })
  throw new Error(`all ${highestNumber} subnets for test hosts are in use`)
}
