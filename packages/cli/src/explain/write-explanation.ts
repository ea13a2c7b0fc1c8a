import type { EventView, ExplainView } from '@bulkhead/shared'

import type { Cli } from '../cli.ts'
import { lookOf } from '../get/get-once.ts'
import { events } from '../kinds/events.ts'
import { columnsOf, type Kind } from '../kinds/kind.ts'
import { isInstanceId } from '../names/instance-name.ts'
import type { Style } from '../output/style.ts'
import { cleanText, wrap } from '../output/text.ts'
import { writeTable } from '../output/write-table.ts'

type NodeVerdict = ExplainView['nodes'][number]

const colours: Readonly<Record<NodeVerdict['verdict'], keyof Style>> = {
  chosen: 'green',
  fits: 'cyan',
  refused: 'red',
}

const { heads, row } = columnsOf<NodeVerdict>([
  { title: 'NODE', cell: ({ node }) => node },
  {
    title: 'VERDICT',
    cell: ({ verdict }, { style }) => ({ text: verdict, paint: style[colours[verdict]] }),
  },
  {
    title: 'SCORE',
    align: 'right',
    optional: true,
    cell: ({ score }) => (score === null ? '' : String(Number(score.toFixed(2)))),
  },
  { title: 'WHY', optional: true, overflow: 'wrap', cell: ({ reasons }) => reasons.join('; ') },
])

const verdicts: Pick<Kind<NodeVerdict>, 'heads' | 'rows'> = {
  heads,
  // Each reason has its own line, so that none is cut.
  rows: (item, look) => {
    const [first = '', ...others] = item.reasons
    const blank = heads.slice(1).map(() => ({ text: ' ' }))
    const rest = others.map((reason) => [...blank, { text: reason }])
    return [row({ ...item, reasons: [first] }, look), ...rest]
  },
}

const widest = 100

/** The summary as a sentence, then every node with its verdict, then what happened. */
export async function writeExplanation(view: ExplainView, cli: Cli): Promise<void> {
  const look = lookOf(cli)
  const { bold } = look.style
  const width = cli.stdout.isTTY ? Math.min(cli.stdout.columns - 1, widest) : Infinity
  const [first = '', ...rest] = wrap(cleanText(view.summary), width)
  cli.stdout.write(`${[bold(first), ...rest.map((line) => bold(line))].join('\n')}\n`)
  if (view.nodes.length > 0) {
    const asked = isInstanceId(view.subject) ? 'this instance' : 'one more instance'
    cli.stdout.write(`\n${bold(`Nodes for ${asked}`)}\n`)
    await writeTable(cli.stdout, verdicts, view.nodes, { look, wide: false })
  }
  if (view.history.length > 0) {
    cli.stdout.write('\n')
    const options = { look, wide: false }
    await writeTable<EventView>(cli.stdout, events, view.history, options)
  }
}
