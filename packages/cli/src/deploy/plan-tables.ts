import type { PlanResult } from '@bulkhead/shared'

import type { Cli } from '../cli.ts'
import { lookOf } from '../get/get-once.ts'
import { columnsOf, type Kind } from '../kinds/kind.ts'
import type { Style } from '../output/style.ts'
import { cleanText, plural, wrap } from '../output/text.ts'
import { writeTable } from '../output/write-table.ts'
import { shownCounts } from './changes.ts'

type Step = PlanResult['steps'][number]

const colours: Readonly<Record<Step['action'], keyof Style>> = {
  place: 'green',
  replace: 'yellow',
  stop: 'red',
  wait: 'magenta',
  keep: 'dim',
}

const { heads, row } = columnsOf<Step>([
  { title: 'SERVICE', cell: ({ service, environment }) => `${service}.${environment}` },
  { title: 'SLOT', align: 'right', cell: ({ slot }) => String(slot) },
  {
    title: 'ACTION',
    cell: ({ action }, { style }) => ({ text: action, paint: style[colours[action]] }),
  },
  { title: 'NODE', cell: ({ node }) => node ?? '' },
  { title: 'INSTANCE', wide: true, cell: ({ instance }) => instance ?? '' },
  { title: 'REASON', optional: true, overflow: 'wrap', cell: ({ reason }) => reason },
])
const steps: Pick<Kind<Step>, 'heads' | 'rows'> = { heads, rows: (item, look) => [row(item, look)] }

/** What changes and places nothing: zones and external services. */
function writeOthers({ objects }: PlanResult, cli: Cli): void {
  const others = objects.filter(({ kind, action }) => kind !== 'Service' && action !== 'unchanged')
  for (const { kind, name, environment, action } of others) {
    const shown = environment === null ? name : `${name}.${environment}`
    cli.stdout.write(`${action}  ${kind} ${shown}\n`)
  }
  if (others.length > 0) cli.stdout.write('\n')
}

/** What is refused comes first, then what would be done, service by service. */
export async function writePlan(result: PlanResult, wide: boolean, cli: Cli): Promise<void> {
  const look = lookOf(cli)
  const { red } = look.style
  for (const { service, environment, reason } of result.refused) {
    const width = cli.stdout.isTTY ? cli.stdout.columns - 1 : Infinity
    const text = `refused  ${service}.${environment}: ${cleanText(reason)}`
    cli.stdout.write(
      `${wrap(text, width)
        .map((line) => red(line))
        .join('\n')}\n`,
    )
  }
  if (result.refused.length > 0) cli.stdout.write('\n')
  for (const { service, environment, strategy, steps: stages } of result.rollouts) {
    cli.stdout.write(`${strategy}  ${service}.${environment}: ${stages.join('; ')}\n`)
  }
  if (result.rollouts.length > 0) cli.stdout.write('\n')
  if (result.steps.length > 0) {
    const sorted = result.steps.toSorted((a, b) => {
      const [left, right] = [`${a.environment}/${a.service}`, `${b.environment}/${b.service}`]
      return left === right ? a.slot - b.slot : left < right ? -1 : 1
    })
    await writeTable(cli.stdout, steps, sorted, { look, wide })
    cli.stdout.write('\n')
  }
  writeOthers(result, cli)
  const refused = result.refused.length
  const tail = refused === 0 ? '' : `; ${red(`${plural(refused, 'service')} refused`)}`
  cli.stdout.write(`${shownCounts(result)}${tail}\n`)
}
