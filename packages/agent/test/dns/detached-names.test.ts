import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { t as tap, test } from 'tap'

import { whyNotEngines } from '../../../../test/engines/skip.ts'

const script = fileURLToPath(new URL('support/in-namespace.ts', import.meta.url))
const skip = whyNotEngines() ?? false
const timeout = 120_000
tap.setTimeout(timeout)

void test('the name server as a process of its own', { skip, timeout }, async (t) => {
  const inside = 'ip link set lo up && exec "$0" "$1"'
  // What it leaves running ends with it, however it ends.
  const own = ['--net', '--pid', '--fork', '--kill-child', '--mount-proc']
  const argv = [...own, 'sh', '-c', inside, process.execPath, script]
  const run = promisify(execFile)('unshare', argv, { timeout: 110_000, killSignal: 'SIGKILL' })
  const { stdout } = await run.catch((error: unknown) => error as { stdout: string })
  for (const [, result = ''] of stdout.matchAll(/^((?:not )?ok \d+ - .*)$/gm)) {
    t.ok(result.startsWith('ok'), result)
  }
  for (const [, comment = ''] of stdout.matchAll(/^ +# (.*(?:twice|again).*)$/gm))
    t.comment(comment)
  const passed = stdout.match(/^ok /gm)?.length ?? 0
  if (!t.equal(passed, 8, 'all of them')) t.comment(stdout.slice(-6000))
})
