import type { RolloutView, ShiftView } from '@bulkhead/shared'

import { shownService } from '../names/service-name.ts'
import { formatDuration } from '../output/quantity.ts'
import type { Style } from '../output/style.ts'

/** Where new traffic goes, what is waited for and what is known of errors; nothing for a rollout without steps. */
export function shiftLines(rollout: RolloutView, nowMs: number, style: Style): string[] {
  const { shift, endedAt, from, to } = rollout
  if (!shift || endedAt !== null) return []
  const line = (name: string, text: string): string => `  ${style.dim(name.padStart(10))}  ${text}`
  const steps = shift.steps.map(({ weight, pause }, index) => {
    const text = pause === '0s' ? `${weight} %` : `${weight} % ${pause}`
    return index + 1 === shift.step ? style.bold(text) : text
  })
  const old = from === null ? '' : `, ${round(100 - shift.weight)} % to revision ${from}`
  return [
    line(shift.strategy, `step ${shift.step} of ${shift.steps.length} (${steps.join(' → ')})`),
    line('traffic', `${round(shift.weight)} % to revision ${to}${old}`),
    ...(shift.waitsFor === 'nothing'
      ? []
      : [line('waits for', waitsFor(shift, nameOf(rollout), nowMs))]),
    line('errors', errorsOf(shift)),
  ]
}

const nameOf = ({ service, environment }: RolloutView): string =>
  shownService({ name: service, environment })

const round = (value: number): number => Math.round(value * 10) / 10

function waitsFor({ waitsFor: what, dueAt }: ShiftView, name: string, nowMs: number): string {
  if (what === 'promote' || what === 'resume') return `bulkhead rollout ${what} ${name}`
  if (what === 'instances') return 'its instances to be available'
  return `its time: ${formatDuration(Math.max(Date.parse(dueAt ?? '') - nowMs, 0))} left`
}

function errorsOf({ requests, errors, maxErrorPercent, minRequests }: ShiftView): string {
  if (requests < minRequests) return `not judged: ${requests} of ${minRequests} requests seen`
  const percent = Math.round((errors * 10_000) / requests) / 100
  return `${percent} % of ${requests} requests, at most ${maxErrorPercent} % may fail`
}
