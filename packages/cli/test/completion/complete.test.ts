import { execFileSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'

import { completionScripts } from '../../src/completion/scripts.ts'
import type { Answers } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { runCli } from '../support/run-cli.ts'

const answers: Answers = {
  'GET /v1/services': make.list(
    make.service(),
    make.service({ environment: 'test' }),
    make.service({ name: 'api' }),
  ),
  'GET /v1/instances': make.list(make.instance()),
  'GET /v1/nodes': make.list(make.node()),
  'GET /v1/zones': make.list(make.zone()),
}

/** Words before the cursor, the last one unfinished; then the values that are offered. */
const cases: readonly (readonly [string, readonly string[]])[] = [
  ['re', ['restart', 'resolve', 'restore']],
  ['--co', ['--context']],
  ['get ser', ['services']],
  ['get services,ins', ['services,instances']],
  ['get services,nodes w', ['web.prod', 'web.test']],
  ['get -o j', ['json']],
  ['get services --w', ['--watch']],
  ['get nodes n', ['n1']],
  ['get instances w', ['web-0-abcdefgh']],
  ['get services -e ', ['prod', 'test']],
  ['rollout pa', ['pause']],
  ['rollout status ', ['api', 'web.prod', 'web.test']],
  ['rollout undo --w', ['--wait']],
  ['node drain ', ['n1']],
  ['node drain n1 --d', ['--deadline']],
  ['describe ', ['service', 'instance', 'node', 'zone', 'rollout']],
  ['describe zone ', ['presentation']],
  ['explain web-', ['web-0-abcdefgh']],
  ['scale a', ['api']],
  ['completion ', ['bash', 'zsh', 'fish']],
  ['apply -f ', [':files']],
  ['--context ', [':files']],
  ['backup ', [':files']],
  ['nonsense ', []],
  ['schema S', ['Service']],
]

for (const [line, expected] of cases) {
  t.test(`bulkhead ${line}`, async (t) => {
    const { stdout, stderr, exitCode } = await runCli(['__complete', '--', ...line.split(' ')], {
      answers,
    })
    const values = stdout.split('\n').map((text) => text.split('\t')[0] ?? '')
    t.strictSame(
      values.filter((value) => value !== ''),
      expected,
    )
    t.equal(stderr, '')
    t.equal(exitCode, 0)
  })
}

t.test('nothing is offered, and nothing fails, without a control plane', async (t) => {
  const result = await runCli(['__complete', '--', 'scale', ''], { server: 'http://127.0.0.1:1' })
  t.match(result, { stdout: '', stderr: '', exitCode: 0 })
})

t.test('each shell has its script', async (t) => {
  for (const shell of ['bash', 'zsh', 'fish'] as const) {
    const { stdout } = await runCli(['completion', shell])
    t.equal(stdout, completionScripts[shell])
  }
  const unknown = await runCli(['completion', 'tcsh'])
  t.equal(unknown.exitCode, 2)
})

/** Sources the script in a real bash, and asks it as readline would. */
function completeInBash(directory: string, line: string): string[] {
  const words = line.split(' ')
  const quoted = words.map((word) => `'${word}'`).join(' ')
  const script = `
    source ${join(directory, 'completion.bash')}
    COMP_WORDS=(${quoted}) COMP_CWORD=${words.length - 1}
    _bulkhead bulkhead '${words.at(-1)}' '${words.at(-2)}'
    printf '%s\\n' "\${COMPREPLY[@]}"
    complete -p bulkhead
  `
  const env = { ...process.env, PATH: `${directory}:${process.env['PATH']}` }
  const text = execFileSync('bash', ['--norc', '-c', script], {
    cwd: directory,
    env,
    encoding: 'utf8',
  })
  return text.trimEnd().split('\n')
}

t.test('bash, sourced', async (t) => {
  const main = join(import.meta.dirname, '../../src/main.ts')
  const directory = t.testdir({
    'completion.bash': completionScripts.bash,
    'web.yaml': '',
    'web dir': {},
  })
  const bulkhead = join(directory, 'bulkhead')
  writeFileSync(bulkhead, `#!/bin/sh\nexec '${process.execPath}' '${main}' "$@"\n`)
  chmodSync(bulkhead, 0o755)
  const registered = 'complete -F _bulkhead bulkhead'
  t.strictSame(completeInBash(directory, 'bulkhead rollout res'), ['resume', registered])
  t.strictSame(completeInBash(directory, 'bulkhead apply -f we').toSorted(), [
    registered,
    'web dir',
    'web.yaml',
  ])
})
