import t from 'tap'

import { runCli } from '../support/run-cli.ts'

const rule = 'a name is lower-case letters, digits and hyphens, starting with a letter'
const nodeRule = 'a name is lower-case letters, digits and hyphens, and dots between them'

const cases: readonly (readonly [line: readonly string[], error: string])[] = [
  [['delete', 'service', '..'], `service ..: ${rule}; see bulkhead get services`],
  [['delete', 'service', ''], `service "": ${rule}; see bulkhead get services`],
  [['delete', 'service', 'a b'], `service a b: ${rule}; see bulkhead get services`],
  [['restart', '../nodes'], `service ../nodes: ${rule}; see bulkhead get services`],
  [['restart', 'web.'], `environment of web.: ${rule}; see bulkhead get services`],
  [['scale', 'web?x=1', '--replicas', '2'], `service web?x=1: ${rule}; see bulkhead get services`],
  [['resolve', 'web/../x'], `service web/../x: ${rule}; see bulkhead get services`],
  [['logs', '../..'], `service ../..: ${rule}; see bulkhead get services`],
  [['explain', '\u001b[2Jx'], `service  [2Jx: ${rule}; see bulkhead get services`],
  [['get', 'revisions', '..'], `service ..: ${rule}; see bulkhead get services`],
  [['exec', '..', '--', 'true'], `instance ..: ${rule}; see bulkhead get instances`],
  [['describe', 'instance', '%2e%2e'], `instance %2e%2e: ${rule}; see bulkhead get instances`],
  [['delete', 'node', '..'], `node ..: ${nodeRule}; see bulkhead get nodes`],
  [['node', 'drain', '.'], `node .: ${nodeRule}; see bulkhead get nodes`],
  [['describe', 'node', 'a/b'], `node a/b: ${nodeRule}; see bulkhead get nodes`],
  [
    ['delete', 'service', 'web', '-e', '..'],
    "delete: option '-e, --environment <env>' is '..': " +
      'it must be lower-case letters, digits and hyphens, starting with a letter; ' +
      'see bulkhead delete --help',
  ],
]

for (const [line, error] of cases) {
  t.test(line.join(' '), async (t) => {
    const { stdout, stderr, exitCode, requests } = await runCli(line)
    t.equal(stderr, `error: ${error}\n`)
    t.equal(stdout, '')
    t.equal(exitCode, 2)
    t.strictSame(requests, [], 'nothing is sent')
  })
}
