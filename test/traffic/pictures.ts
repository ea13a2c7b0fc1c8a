import { drawChart } from '../scale/chart.ts'
import type { Played } from './campaign.ts'
import type { Second } from './second.ts'

/** Answers a second of each version while a phase was played, as SVG. */
export function drawVersions(phase: Played, seconds: readonly Second[]): string {
  const own = seconds.filter(({ atMs }) => atMs >= phase.fromMs - 1000 && atMs <= phase.toMs)
  const firstMs = own[0]?.atMs ?? phase.fromMs
  const versions = [...new Set(own.flatMap((second) => Object.keys(second.versions)))].toSorted()
  const series = versions.map((version) => ({
    label: `version ${version}`,
    points: own.map((second) => ({
      x: Math.round((second.atMs - firstMs) / 1000),
      y: second.versions[version] ?? 0,
    })),
  }))
  series.push({
    label: 'failed',
    points: own.map((second) => ({ x: Math.round((second.atMs - firstMs) / 1000), y: second.failures.length })),
  })
  return drawChart({
    title: `Answers a second: ${phase.phase}`,
    xLabel: 'seconds',
    yLabel: 'answers a second',
    series,
    xScale: 'linear',
  })
}
