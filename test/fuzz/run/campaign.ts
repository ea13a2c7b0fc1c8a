import fc from 'fast-check'

import type { Check, Target } from './target.ts'
import type { Watchdog } from './watchdog.ts'

export interface CampaignOptions {
  readonly seconds: number
  /** The first round draws its cases from this, the next one from the number after it. */
  readonly seed: number
  readonly watchdog: Watchdog
}

export interface CampaignResult {
  /** How many cases each check has seen. */
  readonly cases: ReadonlyMap<string, number>
  /** What went wrong, with the seed and the smallest case; the campaign ends with the round that finds it. */
  readonly failures: readonly string[]
}

/** A case that waits for something that does not come. */
const caseMs = 60_000
/** Making a counterexample smaller is given up after this. */
const shrinkMs = 20_000
const firstCharacters = 4000

const nextSeed = (seed: number, round: number): number => (seed + round) | 0

async function runCheck(check: Check, seed: number, runs: number): Promise<fc.RunDetails<unknown>> {
  return await fc.check(check.property, {
    seed,
    numRuns: runs,
    timeout: caseMs,
    verbose: fc.VerbosityLevel.Verbose,
    interruptAfterTimeLimit: shrinkMs,
    markInterruptAsFailure: false,
  })
}

async function describe(
  target: string,
  check: string,
  seed: number,
  details: fc.RunDetails<unknown>,
): Promise<string> {
  const plain = { ...details, verbose: fc.VerbosityLevel.None }
  const report = (await fc.asyncDefaultReportMessage(plain)) ?? ''
  // Where damage lasts, only the first case is sure to have done it.
  const first = fc.stringify(details.failures[0]).slice(0, firstCharacters)
  const { errorInstance } = details
  const why = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance)
  const again = `npm run fuzz -- --target ${target} --seed ${seed}`
  return `${target}: ${check}: ${report}\n${why}\nfirst found with: ${first}\nthe same again: ${again}`
}

/**
 * Runs the checks of a target in rounds until the time is over, at least once each, and after each round asks
 * the target whether the world is still whole.
 */
export async function campaign(target: Target, options: CampaignOptions): Promise<CampaignResult> {
  const endMs = performance.now() + options.seconds * 1000
  const cases = new Map<string, number>()
  const failures: string[] = []
  for (let round = 0; failures.length === 0; round++) {
    const seed = nextSeed(options.seed, round)
    for (const check of target.checks) {
      // What fails after a failure may be but its consequence.
      if (failures.length > 0 || (round > 0 && performance.now() > endMs)) break
      options.watchdog.watch(`${target.name}: ${check.name}, --seed ${seed}`)
      const details = await runCheck(check, seed, check.runs)
      cases.set(check.name, (cases.get(check.name) ?? 0) + details.numRuns)
      if (details.failed) failures.push(await describe(target.name, check.name, seed, details))
    }
    try {
      if (failures.length === 0) await target.inspect()
    } catch (error) {
      failures.push(`${target.name}: after the round of --seed ${seed}: ${String(error)}`)
    }
    if (performance.now() > endMs) break
  }
  options.watchdog.watch(null)
  return { cases, failures }
}
