import { randomInt } from 'node:crypto'
import { parseArgs } from 'node:util'

import { takeCensus } from './census.ts'
import { explore, maxSeed } from './explore.ts'
import { run } from './run.ts'
import { generate } from './scenario/generate.ts'
import type { Scenario } from './scenario/scenario.ts'
import { shrink } from './shrink.ts'
import { formatTime } from './timeline.ts'

const usage = `npm run simulate -- --seconds N [--from SEED]   runs new seeds for N seconds
npm run simulate -- --seed N [--whole]          plays one seed again; what it breaks is made smaller,
                                                unless --whole, and told as a timeline
npm run simulate -- --census [--seeds N] [--from SEED]
                                                how often each fault, action and feature occurs in N seeds (200),
                                                and how often each promise had something to judge`

const say = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

function sayScenario({ nodes, steps, troubleMs }: Scenario): void {
  for (const node of nodes) say(`node ${JSON.stringify(node)}`)
  for (const step of steps) say(`${formatTime(step.atMs)} ${JSON.stringify(step)}`)
  say(`everything is mended at ${formatTime(troubleMs)}`)
}

/** Plays one seed and tells all of it. True when every promise was kept. */
async function replay(seed: number, whole: boolean): Promise<boolean> {
  let scenario = generate(seed)
  let result = await run(scenario, { keepsTimeline: true })
  if (result.violation !== null && !whole) {
    const shrunk = await shrink(scenario, result.violation.invariant)
    say(
      `made smaller in ${shrunk.runs} runs: ${scenario.steps.length} → ${shrunk.scenario.steps.length} steps, ${scenario.nodes.length} → ${shrunk.scenario.nodes.length} nodes\n`,
    )
    scenario = shrunk.scenario
    result = await run(scenario, { keepsTimeline: true })
  }
  for (const line of result.lines) say(line)
  say('')
  sayScenario(scenario)
  say(
    `\nseed ${seed}: ${formatTime(result.simulatedMs)} simulated, ${result.events} events, hash ${result.hash.slice(0, 16)}`,
  )
  if (result.violation)
    say(
      `broken: ${result.violation.invariant} at ${formatTime(result.violation.atMs)}: ${result.violation.text}`,
    )
  else say('every promise was kept')
  return result.violation === null
}

/** Runs new seeds on all cores. True when every promise was kept in all of them. */
async function runNew(seconds: number, first: number): Promise<boolean> {
  const beganMs = performance.now()
  let [seeds, simulatedMs, events, broken] = [0, 0, 0, 0]
  await explore(seconds, first, (explored) => {
    seeds += 1
    simulatedMs += explored.simulatedMs
    events += explored.events
    if (explored.violation === null) return
    broken += 1
    const { invariant, atMs, text } = explored.violation
    say(
      `seed ${explored.seed} broke ${invariant} at ${formatTime(atMs)}: ${text.slice(0, 1000)}\n  npm run simulate -- --seed ${explored.seed}`,
    )
  })
  const elapsedMs = performance.now() - beganMs
  // Of all threads: what else the machine does decides little of it.
  const { user, system } = process.cpuUsage()
  const usedMs = (user + system) / 1000
  const hours = (simulatedMs / 3_600_000).toFixed(1)
  const [speed, speedOfCore] = [elapsedMs, usedMs].map((ms) => Math.round(simulatedMs / ms))
  say(
    `${seeds} seeds from ${first}, ${hours} simulated hours in ${Math.round(elapsedMs / 1000)} s: ${speed} times real time, ${Math.round((events / elapsedMs) * 1000)} events a second; in ${Math.round(usedMs / 1000)} s of processor time: ${speedOfCore} times that; ${broken} seeds broke a promise`,
  )
  return broken === 0
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seconds: { type: 'string' },
    from: { type: 'string' },
    whole: { type: 'boolean' },
    census: { type: 'boolean' },
    seeds: { type: 'string' },
  },
})
let kept = false
if (values.census) {
  for (const line of await takeCensus(Number(values.from ?? 1), Number(values.seeds ?? 200))) say(line)
  kept = true
} else if (values.seed !== undefined) kept = await replay(Number(values.seed), values.whole ?? false)
else if (values.seconds !== undefined)
  kept = await runNew(Number(values.seconds), Number(values.from ?? randomInt(maxSeed)))
else say(usage)
process.exitCode = kept ? 0 : 1
