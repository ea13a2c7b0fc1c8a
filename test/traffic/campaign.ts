import { setTimeout as delay } from 'node:timers/promises'

import { sumOf, type Second, type Sum } from './second.ts'
import { phases, type Phase } from './phases.ts'
import { setStage, type Stage } from './stage.ts'

export interface Played extends Sum {
  readonly phase: string
  readonly fromMs: number
  readonly toMs: number
}

export interface CampaignOptions {
  /** Rounds of all phases go on until there have been so many requests. */
  readonly requests: number
  readonly phases?: readonly Phase[]
  readonly say: (line: string) => void
}

/** What a second's line may still be on its way for. */
const reportMs = 1500

const perSecond = ({ requests, fromMs, toMs }: Played): number => Math.round(requests / ((toMs - fromMs) / 1000))

async function play(stage: Stage, phase: Phase, round: number): Promise<Played> {
  const fromMs = Date.now()
  const first = stage.load.lines.length
  await phase.run(stage, round)
  await delay(reportMs)
  return { phase: phase.name, fromMs, toMs: Date.now(), ...sumOf(stage.load.lines.slice(first)) }
}

/** Plays the phases under load, and returns what came of each and the seconds of all of them. */
export async function runCampaign(options: CampaignOptions): Promise<{ played: readonly Played[]; seconds: readonly Second[] }> {
  await using stage = await setStage()
  const played: Played[] = []
  const total = (): number => played.reduce((sum, { requests }) => sum + requests, 0)
  for (let round = 0; round === 0 || total() < options.requests; round++) {
    for (const phase of options.phases ?? phases) {
      const one = await play(stage, phase, round)
      played.push(one)
      options.say(
        `${phase.name}: ${one.requests} requests in ${((one.toMs - one.fromMs) / 1000).toFixed(1)} s (${perSecond(one)} a second), ${one.failures.length} failed, slowest ${one.slowestMs} ms; ${total()} in all`,
      )
      for (const failure of one.failures.slice(0, 5)) options.say(`  ${failure}`)
    }
  }
  return { played, seconds: stage.load.lines }
}
