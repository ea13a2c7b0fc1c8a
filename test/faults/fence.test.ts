import { t as tap, test } from 'tap'

import { run } from '../engines/command.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { overlaps, startFenceWorld } from './fence.ts'

const hasCapture = await run(['tcpdump', '--version']).then(
  () => true,
  () => false,
)
const skip = whyNotEngines() ?? (hasCapture ? false : 'not installed: tcpdump')
const timeout = 170_000
tap.setTimeout(timeout)

void test('with its agent dead or frozen, an exclusive instance falls silent', { skip, timeout }, async (t) => {
  await using world = await startFenceWorld()
  for (const fault of ['SIGKILL', 'SIGSTOP'] as const) {
    const found = await world.run(fault)
    t.notOk(overlaps(found), `${fault}: ${JSON.stringify(found)}`)
  }
  // That it would be seen if it were otherwise.
  const open = 'nft insert rule inet bulkhead fence accept'.split(' ')
  const found = await world.run('SIGSTOP', (host) => host.run(open))
  t.ok(overlaps(found), `without the fence both answer: ${JSON.stringify(found)}`)
})
