import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { type Test, t as tap, test } from 'tap'

import { whyNotEngines } from '../../../../test/engines/skip.ts'

const script = fileURLToPath(new URL('support/changed-by-hand.ts', import.meta.url))
const skip = whyNotEngines() ?? false
const timeout = 60_000
tap.setTimeout(2 * timeout)

interface Reaction {
  readonly isChanged: boolean
  readonly isRepaired: boolean
  readonly afterMs: number
  readonly told: readonly string[]
}

interface Seen {
  readonly seen: Readonly<Record<string, Reaction>>
  readonly own: { readonly lists: number; readonly told: readonly string[] }
  readonly foreign: { readonly lists: number }
}

async function look(t: Test, namespaces: readonly string[]): Promise<Seen> {
  const argv = [...namespaces, process.execPath, script]
  const { stdout } = await promisify(execFile)('unshare', argv, { timeout, killSignal: 'SIGKILL' })
  const found = JSON.parse(stdout) as Seen
  for (const [name, reaction] of Object.entries(found.seen)) {
    t.ok(reaction.isChanged, `${name}: it was another table`)
    t.ok(reaction.isRepaired, `${name}: as before after ${reaction.afterMs} ms`)
    t.ok(reaction.afterMs < 3500, `${name}: in time`)
    t.equal(reaction.told.length, 1, `${name}: ${reaction.told.join()}`)
  }
  t.same(found.own.told, [], 'what is done here is no change by hand')
  return found
}

void test(
  'what others change in the table is undone at once, and told of',
  { skip, timeout },
  async (t) => {
    const { own, foreign } = await look(t, ['--net'])
    t.equal(
      own.lists,
      1,
      'changes of our own are not looked at, but for the one look that was asked for',
    )
    t.equal(foreign.lists, 0, 'nor those of other tables')
  },
)

void test(
  'also where processes go by other numbers than the kernel knows',
  { skip, timeout },
  async (t) => {
    const { own } = await look(t, ['--net', '--pid', '--fork', '--mount-proc'])
    t.ok(own.lists <= 6, `${own.lists} looks: at most one a second`)
  },
)
