import type { RolloutView } from '@bulkhead/shared'
import { BulkheadError } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { findService, type ServiceName, shownService } from '../names/service-name.ts'
import { formatAge } from '../output/quantity.ts'
import { paintState } from '../output/states.ts'
import { type Structured, writeStructured, writeStructuredPart } from '../output/structured.ts'
import { type Style, styleFor } from '../output/style.ts'
import { cleanText } from '../output/text.ts'
import type { Connection } from '../toolkit.ts'
import { shiftLines } from './shift-lines.ts'

export interface StatusOptions {
  readonly environment?: string | undefined
  readonly watch?: boolean
  readonly output: 'text' | Structured
}

interface Deps {
  readonly connection: Connection
  readonly cli: Cli
}

const hasEnded = ({ endedAt }: RolloutView): boolean => endedAt !== null
const isBad = ({ phase }: RolloutView): boolean => phase === 'failed' || phase === 'rolled-back'

const newest = (rollouts: readonly RolloutView[]): RolloutView | undefined =>
  rollouts.toSorted((a, b) => a.to - b.to).at(-1)

/** A reason that begins with the phase goes on from there: `paused by admin`. */
function whyOf(phase: string, reason: string): string {
  if (reason.startsWith(`${phase} `)) return reason.slice(phase.length)
  return reason === '' ? '' : `: ${reason}`
}

function titleOf(rollout: RolloutView, style: Style): string {
  const { service, environment, from, to, phase, reason } = rollout
  const name = style.bold(shownService({ name: service, environment }))
  const move = from === null ? `revision ${to}` : `revision ${from} → ${to}`
  return `${name}  ${move}  ${paintState(phase, style)}${whyOf(phase, cleanText(reason))}`
}

/** Times count from the beginning of the rollout, so that a line that was printed long ago is still true. */
function historyLines({ startedAt, history }: RolloutView, style: Style): string[] {
  return history.map(({ at, text }) => {
    const time = `+${formatAge(startedAt, Date.parse(at))}`
    return `  ${style.dim(time.padStart(8))}  ${cleanText(text)}`
  })
}

async function writeStatus(rollout: RolloutView, output: StatusOptions['output'], cli: Cli) {
  if (output !== 'text') {
    await writeStructured(cli.stdout, output, rollout)
    return
  }
  const style = styleFor(cli.stdout, cli.env)
  const begun = `  ${style.dim(`began ${formatAge(rollout.startedAt, cli.clock.nowMs())} ago`)}`
  const lines = [
    titleOf(rollout, style) + begun,
    ...shiftLines(rollout, cli.clock.nowMs(), style),
    ...historyLines(rollout, style),
  ]
  cli.stdout.write(`${lines.join('\n')}\n`)
}

/** Prints what is new until the rollout has ended. */
async function followRollout(
  service: ServiceName,
  { output }: StatusOptions,
  { connection, cli }: Deps,
): Promise<number> {
  const style = styleFor(cli.stdout, cli.env)
  const query = { environment: service.environment, service: service.name }
  let current: RolloutView | null = null
  const show = async (rollout: RolloutView): Promise<void> => {
    const known: number = current?.id === rollout.id ? current.history.length : 0
    if (output !== 'text') await writeStructuredPart(cli.stdout, output, rollout)
    else if (current?.id !== rollout.id) await writeStatus(rollout, 'text', cli)
    else {
      const fresh = { ...rollout, history: rollout.history.slice(known) }
      for (const line of historyLines(fresh, style)) cli.stdout.write(`${line}\n`)
      if (hasEnded(rollout)) cli.stdout.write(`${titleOf(rollout, style)}\n`)
    }
    current = rollout
  }
  for await (const update of connection.client.watch('rollouts', query, cli.signal)) {
    if (update.kind === 'interrupted') continue
    const rollout = update.kind === 'list' ? newest(update.items) : update.event.item
    if (rollout === undefined) throw none(service)
    await show(rollout)
    if (hasEnded(rollout)) return isBad(rollout) ? 1 : 0
  }
  return 1
}

function none(service: ServiceName): BulkheadError {
  const name = shownService(service)
  const advice = `see bulkhead rollout history ${name}`
  return new BulkheadError('not-found', `rollout of ${name}: there was none yet`, advice)
}

/** Shows the newest rollout; with `watch` the exit code is 1 when it failed. */
export async function rolloutStatus(
  given: string,
  options: StatusOptions,
  deps: Deps,
): Promise<number> {
  const { connection, cli } = deps
  const service = await findService(connection, given, options.environment, cli.signal)
  if (options.watch === true) return followRollout(service, options, deps)
  const query = { environment: service.environment, service: service.name }
  const { items } = await connection.client.list('rollouts', query, cli.signal)
  const rollout = newest(items)
  if (rollout === undefined) throw none(service)
  await writeStatus(rollout, options.output, cli)
  return 0
}
