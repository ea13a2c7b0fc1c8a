import { pino } from 'pino'
import t from 'tap'

import { foreignChanges } from '../../src/network/core/foreign-changes.ts'
import type { Kernel } from '../../src/network/kernel.ts'
import { RuleWatch } from '../../src/network/rule-watch.ts'
import { FakeClock } from '../support/fake-clock.ts'

function begin() {
  const clock = new FakeClock()
  const controller = new AbortController()
  const follows: { readonly change: () => void; readonly end: () => void }[] = []
  const kernel: Kernel = {
    list: async () => null,
    run: async () => {},
    follow: (_table, change, signal) =>
      new Promise((resolve) => {
        follows.push({ change, end: resolve })
        signal.addEventListener('abort', () => resolve())
      }),
  }
  let checks = 0
  const check = async (): Promise<void> => void (checks += 1)
  const logger = pino({ level: 'silent' })
  const watch = new RuleWatch({ clock, logger, kernel, check }, 'inet b')
  const running = watch.run(controller.signal)
  return { clock, follows, checks: () => checks, stop: () => (controller.abort(), running) }
}

t.test('many changes at once are one look, and there is at most one a second', async (t) => {
  const { clock, follows, checks, stop } = begin()
  await clock.pass(200)
  t.equal(checks(), 1, 'what was changed before somebody listened')
  for (let count = 0; count < 100; count++) {
    follows[0]?.change()
    await clock.pass(30)
  }
  await clock.pass(1000)
  t.ok(checks() >= 4 && checks() <= 5, `${checks()} looks in 4 s`)
  await stop()
  follows[0]?.change()
  await clock.pass(5000)
  t.ok(checks() <= 5, 'none after its end')
})

t.test('what ends is begun again, ever later, and looks at what was missed', async (t) => {
  const { clock, follows, checks, stop } = begin()
  for (let count = 0; count < 600; count++) {
    follows.at(-1)?.end()
    await clock.pass(1000)
  }
  t.ok(follows.length > 10 && follows.length < 30, `${follows.length} times in 10 min`)
  t.ok(checks() >= follows.length - 1)
  await stop()
})

t.test('what is told of transactions', async (t) => {
  let changes = 0
  const heed = foreignChanges(
    'inet bulkhead',
    (pid) => pid === 7,
    () => void (changes += 1),
  )
  const told = (pid: number, ...lines: string[]): boolean => {
    const before = changes
    for (const line of [...lines, `# new generation 5 by process ${pid} (nft)`]) heed(line)
    return changes > before
  }
  t.ok(told(9, 'delete table inet bulkhead'))
  t.ok(told(9, 'add rule ip filter c accept', 'delete rule inet bulkhead direct handle 4'))
  t.notOk(told(7, 'delete table inet bulkhead'), 'of our own')
  t.notOk(told(9, 'delete table inet bulkhead_1234'), 'of another agent')
  t.notOk(told(9, 'add rule ip filter DOCKER accept'))
  t.notOk(told(9, 'add element inet bulkhead beat2 { ipv4 timeout 6s expires 6s }'), 'the lease')
  t.ok(told(9), 'which of them it was is not said')
  t.ok(told(9, 'W: Received event for an unknown set.'))
  t.notOk(told(9, 'add table ip x'), 'nothing of it is left for the next')
})
