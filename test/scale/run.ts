import { parseArgs } from 'node:util'

import { measureAgents } from './agents.ts'
import { measurePlacements } from './placements.ts'

// One measurement in a process of its own, so that its memory is its own; the figures are the last line.

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', default: 'placements' },
    instances: { type: 'string', default: '20000' },
    nodes: { type: 'string', default: '61' },
    agents: { type: 'string', default: '100' },
    environments: { type: 'string', default: '5' },
    rates: { type: 'string', default: '0,100' },
    seconds: { type: 'string', default: '5' },
    hold: { type: 'string', default: '10' },
  },
})
const size = { instances: Number(values.instances), nodes: Number(values.nodes) }
const scenarios: Readonly<Record<string, () => Promise<object>>> = {
  placements: () => measurePlacements(size),
  agents: () =>
    measureAgents(
      {
        agents: Number(values.agents),
        instances: size.instances,
        environments: Number(values.environments),
        rates: values.rates.split(',').map(Number),
        forS: Number(values.seconds),
      },
      { massLossHold: `${values.hold}s` },
    ),
}
const scenario = scenarios[values.scenario]
if (!scenario) throw new Error(`there is no scenario ${values.scenario}`)
// The control plane's own timers do not keep a process alive.
const alive = setInterval(() => {}, 60_000)
process.stdout.write(`${JSON.stringify(await scenario())}\n`)
clearInterval(alive)
