import type { AgentsFigures } from './agents.ts'
import { drawChart, type Chart } from './chart.ts'
import type { PlacementFigures } from './placements.ts'

/** Everything that one run has measured. */
export interface Results {
  readonly machine: string
  readonly date: string
  readonly placements: readonly PlacementFigures[]
  readonly agents: readonly AgentsFigures[]
}

const instancesLabel = 'instances'

function placementCharts(runs: readonly PlacementFigures[]): Readonly<Record<string, Chart>> {
  const by = (value: (run: PlacementFigures) => number) =>
    runs.map((run) => ({ x: run.instances, y: value(run) }))
  const common = { xLabel: instancesLabel, xScale: 'logarithmic' } as const
  return {
    'placements-per-second': {
      ...common,
      title: 'Placements through admission, reconcile, state and SQLite',
      yLabel: 'placements per second',
      mark: { y: 20_000, label: 'goal: 20 k' },
      series: [
        { label: 'by the clock', points: by((run) => run.placementsPerS) },
        { label: 'by processor time', points: by((run) => run.instances / run.placedCpuS) },
      ],
    },
    'one-change': {
      ...common,
      title: 'One service scaled by one: until it is placed and on the disk',
      yLabel: 'milliseconds',
      mark: { y: 10, label: 'goal: 10 ms' },
      series: [
        { label: 'median', points: by((run) => run.changeMedianMs) },
        { label: 'processor time, median', points: by((run) => run.changeCpuMedianMs) },
      ],
    },
    memory: {
      xLabel: instancesLabel,
      xScale: 'linear',
      title: 'Memory of the control plane at its largest',
      yLabel: 'MB resident',
      series: [{ label: 'resident', points: by((run) => run.peakMB) }],
    },
    start: {
      xLabel: instancesLabel,
      xScale: 'linear',
      title: 'Starting again from the disk, with every record checked',
      yLabel: 'seconds',
      series: [
        { label: 'by the clock', points: by((run) => run.loadS) },
        { label: 'processor time', points: by((run) => run.loadCpuS) },
      ],
    },
  }
}

function agentCharts(runs: readonly AgentsFigures[]): Readonly<Record<string, Chart>> {
  const load = (value: (row: AgentsFigures['rows'][number]) => number) =>
    runs.map(({ agents, rows }) => ({
      label: `${agents} agents`,
      points: rows.map((row) => ({ x: row.changesPerS, y: value(row) })),
    }))
  const loss = (value: (run: AgentsFigures) => number) =>
    runs.map((run) => ({ x: run.loss.nodes, y: value(run) }))
  const common = { xLabel: 'status changes per second', xScale: 'linear' } as const
  return {
    'control-plane-load': {
      ...common,
      title: 'Processor time of the control plane under heartbeats and status changes',
      yLabel: 'percent of one core',
      series: load((row) => row.cpuPercent),
    },
    'status-to-watcher': {
      ...common,
      title: 'From the report of a change to a watcher of the endpoints',
      yLabel: 'milliseconds, 99 of 100 are faster',
      mark: { y: 50, label: 'goal: 50 ms' },
      series: load((row) => row.watcherP99Ms),
    },
    'mass-loss': {
      xLabel: 'nodes lost at once',
      xScale: 'linear',
      title: 'A fifth of all nodes falls silent',
      yLabel: 'seconds',
      series: [
        { label: 'all suspect', points: loss((run) => run.loss.suspectS) },
        { label: 'back within the hold', points: loss((run) => run.loss.backS) },
        { label: 'replaced after it', points: loss((run) => run.loss.replacedS) },
        { label: 'returned at last', points: loss((run) => run.loss.returnedS) },
      ],
    },
  }
}

/** The pictures by file name. */
export function drawPictures(results: Results): Readonly<Record<string, string>> {
  const charts = { ...placementCharts(results.placements), ...agentCharts(results.agents) }
  return Object.fromEntries(
    Object.entries(charts)
      .filter(([, { series }]) => series.some(({ points }) => points.length > 0))
      .map(([name, chart]) => [`${name}.svg`, drawChart(chart)]),
  )
}
