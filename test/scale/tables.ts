import type { AgentsFigures } from './agents.ts'
import type { Results } from './pictures.ts'
import type { PlacementFigures } from './placements.ts'

const whole = (value: number): string => Math.round(value).toLocaleString('en')
const tenths = (value: number): string => value.toFixed(1)

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n')
}

function placements(runs: readonly PlacementFigures[]): string {
  const head = [
    'instances',
    'nodes',
    'services',
    'placed, s (processor, waited)',
    'placements a second (by processor time)',
    'one change, ms: median, 90 %, worst (processor)',
    'resident MB',
    'database MB',
    'loaded, s (processor)',
  ]
  const rows = runs.map((run) => [
    whole(run.instances),
    whole(run.nodes),
    whole(run.services),
    `${tenths(run.placedS)} (${tenths(run.placedCpuS)}, ${tenths(run.placedWaitedS)})`,
    `${whole(run.placementsPerS)} (${whole(run.instances / run.placedCpuS)})`,
    `${tenths(run.changeMedianMs)}, ${tenths(run.changeP90Ms)}, ${tenths(run.changeWorstMs)} (${tenths(run.changeCpuMedianMs)})`,
    whole(run.peakMB),
    whole(run.databaseMB),
    `${tenths(run.loadS)} (${tenths(run.loadCpuS)})`,
  ])
  return table(head, rows)
}

function load(runs: readonly AgentsFigures[]): string {
  const head = [
    'agents',
    'instances',
    'changes a second',
    'heartbeats a second',
    'processor, % of a core',
    'waited for one, %',
    'to a watcher, ms: median, 99 %',
    'to the next agent, ms: median, 99 %',
  ]
  const rows = runs.flatMap(({ agents, instances, rows: loads }) =>
    loads.map((row) => [
      whole(agents),
      whole(instances),
      whole(row.changesPerS),
      whole(row.heartbeatsPerS),
      whole(row.cpuPercent),
      whole(row.waitedPercent),
      `${whole(row.watcherP50Ms)}, ${whole(row.watcherP99Ms)}`,
      `${whole(row.agentP50Ms)}, ${whole(row.agentP99Ms)}`,
    ]),
  )
  return table(head, rows)
}

function begun(runs: readonly AgentsFigures[]): string {
  const head = ['agents', 'all connected after, s', 'instances healthy after, s', 'resident MB']
  const rows = runs.map((run) => [
    whole(run.agents),
    tenths(run.connectedS),
    tenths(run.deployedS),
    whole(run.peakMB),
  ])
  return table(head, rows)
}

function loss(runs: readonly AgentsFigures[]): string {
  const head = [
    'nodes lost',
    'all suspect, s',
    'back, s',
    'moved meanwhile',
    'lost, s',
    'replaced, s (processor)',
    'instances replaced',
    'returned at last and cleaned up, s',
  ]
  const rows = runs.map(({ loss: lost }) => [
    whole(lost.nodes),
    tenths(lost.suspectS),
    tenths(lost.backS),
    whole(lost.movedWhileHeld),
    tenths(lost.lostS),
    `${tenths(lost.replacedS)} (${tenths(lost.replacingCpuS)})`,
    whole(lost.replacements),
    tenths(lost.returnedS),
  ])
  return table(head, rows)
}

/** The document with each part between `<!-- figures: NAME -->` and `<!-- end -->` made anew from the results. */
export function fillTables(document: string, results: Results): string {
  const tables: Readonly<Record<string, string>> = {
    placements: placements(results.placements),
    begun: begun(results.agents),
    load: load(results.agents),
    loss: loss(results.agents),
  }
  return document.replaceAll(
    /(<!-- figures: (\w+) -->\n).*?(<!-- end -->)/gs,
    (_, start: string, name: string, end: string) => {
      const text = tables[name]
      if (text === undefined)
        throw new Error(`the document asks for figures that there are none of: ${name}`)
      return `${start}\n${text}\n\n${end}`
    },
  )
}
