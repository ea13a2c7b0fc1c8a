import { execFileSync } from 'node:child_process'
import { chmodSync, copyFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import t from 'tap'

const launcher = fileURLToPath(new URL('../../../../bulkhead', import.meta.url))
const runtime = '#!/bin/sh\nprintf "%s\\n" "$@"\n'

/** The launcher in a directory of its own, with a runtime that only says what it was given. */
function place(root: string): (argv: readonly string[]) => readonly string[] {
  mkdirSync(join(root, 'node_modules/node-runtime/bin'), { recursive: true })
  mkdirSync(join(root, 'dist'))
  copyFileSync(launcher, join(root, 'bulkhead'))
  writeFileSync(join(root, 'dist/bulkhead.mjs'), '')
  writeFileSync(join(root, 'node_modules/node-runtime/bin/node'), runtime)
  chmodSync(join(root, 'bulkhead'), 0o755)
  chmodSync(join(root, 'node_modules/node-runtime/bin/node'), 0o755)
  return (argv) =>
    execFileSync(join(root, 'bulkhead'), argv, { encoding: 'utf8' }).trimEnd().split('\n')
}

t.test('a control plane with a large state gets a runtime that favours speed', async (t) => {
  const root = t.testdir()
  const run = place(root)
  const data = join(root, 'my data')
  const saving = '--optimize-for-size'
  t.ok(run(['controlplane', '--data', data]).includes(saving), 'none yet')
  mkdirSync(join(data, 'store'), { recursive: true })
  const file = join(data, 'store/bulkhead.db')
  writeFileSync(file, '')
  truncateSync(file, 64 * 1024 * 1024 - 1)
  t.ok(run(['controlplane', '--data', data]).includes(saving), 'a small one')
  truncateSync(file, 64 * 1024 * 1024)
  for (const argv of [
    ['--data', data],
    ['--listen', '127.0.0.1:1', `--data=${data}`],
  ]) {
    const given = run(['controlplane', ...argv])
    t.notOk(given.includes(saving))
    t.same(given.slice(-argv.length - 1), ['controlplane', ...argv], 'arguments arrive as they are')
  }
  t.ok(run(['agent', '--data', data]).includes(saving), 'agents have no such state')
  t.same(run(['get', 'services']).slice(1), ['get', 'services'])
})
