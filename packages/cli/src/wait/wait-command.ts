import type { BulkheadError, Client } from '@bulkhead/shared/client'

import type { Cli } from '../cli.ts'
import { DetailedError } from '../errors/detailed-error.ts'
import { shownService } from '../names/service-name.ts'
import { formatElapsed, formatLimit } from '../output/quantity.ts'
import { styleFor } from '../output/style.ts'
import { plural } from '../output/text.ts'
import { displayFor, silentDisplay } from './display.ts'
import type { Progress, Target } from './judge.ts'
import { plainLine } from './progress-lines.ts'
import { waitFor, type WaitResult } from './wait-for.ts'

/** The explanation that the server gives of a service is one command away. */
const hintFor = ({ target }: Progress): string =>
  target.revision === null
    ? `bulkhead get instances ${shownService(target)}`
    : `bulkhead explain ${shownService(target)}`

function messageOf({ outcome }: WaitResult, open: readonly Progress[], timeoutMs: number): string {
  const [first] = open
  const names = open.map(({ target }) => shownService(target)).join(', ')
  const what = open.length > 3 ? plural(open.length, 'service') : names || 'services'
  const goal = first?.target.revision === null ? 'gone' : 'converged'
  const late = `not ${goal} after ${formatLimit(timeoutMs)}`
  // The reasons of several have a line each.
  const reason = open.length === 1 ? (first?.reason ?? '') : ''
  if (outcome === 'timed-out') return `${what}: ${late}${reason === '' ? '' : `: ${reason}`}`
  return `${what}: ${reason === '' ? (first?.status ?? 'failed') : reason}`
}

function unmet(result: WaitResult, timeoutMs: number): BulkheadError {
  const isFailure = result.outcome === 'failed'
  const open = result.progress.filter(({ verdict }) =>
    isFailure ? verdict === 'failed' : verdict !== 'done',
  )
  const [first] = open
  return new DetailedError(
    isFailure ? 'did-not-happen' : 'timed-out',
    messageOf(result, open, timeoutMs),
    {
      advice: first === undefined ? 'see bulkhead get nodes' : `see ${hintFor(first)}`,
      lines: open.length === 1 ? [] : open.map((one) => plainLine(one)),
      details: {
        services: open.map(({ target: { name, environment }, status, reason }) => {
          return { service: name, environment, status, reason }
        }),
      },
    },
  )
}

/**
 * Waits with progress that people can watch. Throws BulkheadError `timed-out` or `did-not-happen`, with the
 * reason of each service that has not come as far as was wanted.
 */
export async function waitWithProgress(
  targets: readonly Target[],
  options: {
    readonly client: Client
    readonly cli: Cli
    readonly timeoutMs: number
    /** For output that programs read. */
    readonly silent?: boolean
  },
): Promise<void> {
  const { client, cli, timeoutMs, silent } = options
  if (targets.length === 0) return
  const display = silent === true ? silentDisplay : displayFor(cli)
  const result = await waitFor(targets, { client, cli, display, timeoutMs })
  if (result.outcome !== 'done') throw unmet(result, timeoutMs)
  if (silent === true) return
  const { green } = styleFor(cli.stdout, cli.env)
  const isDeletion = targets.every(({ revision }) => revision === null)
  const done = isDeletion ? 'gone' : 'converged'
  const took = formatElapsed(result.tookMs)
  cli.stdout.write(`${green(done)}: ${plural(targets.length, 'service')} in ${took}\n`)
}
