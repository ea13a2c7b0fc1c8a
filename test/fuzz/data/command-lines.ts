import fc from 'fast-check'

import { commandEntries } from '../../../packages/cli/src/catalogue.ts'
import { anyText } from './json.ts'

/** These run until they are told to end; they are tried as processes of their own only. */
export const servers = ['agent', 'controlplane']

const verbs = commandEntries.map(({ name }) => name).filter((name) => !servers.includes(name))
const subverbs = [
  'create',
  'status',
  'history',
  'undo',
  'pause',
  'resume',
  'promote',
  'cordon',
  'uncordon',
  'drain',
  'remove',
  'confirm-dead',
  'label',
  'nodes',
  'instances',
  'services',
  'node',
  'instance',
  'service',
  'zone',
  'zones',
  'events',
  'endpoints',
  'rollouts',
  'bash',
  'fish',
  'Service',
  'help',
]
const flags = [
  '-f',
  '--file',
  '-e',
  '--environment',
  '-o',
  '--output',
  '-w',
  '--watch',
  '--wait',
  '--timeout',
  '--prune',
  '--allow-pending',
  '--replicas',
  '--to',
  '--deadline',
  '--port',
  '--service',
  '--node',
  '--name',
  '--zone',
  '--all',
  '-A',
  '--since',
  '--tail',
  '--limit',
  '--subject',
  '--follow',
  '--force',
  '--data',
  '-h',
  '--help',
  '-V',
  '--version',
  '--',
  '-',
  '--nope',
  '-x',
  '--context',
  '--output=json',
  '-ojson',
  '--replicas=1e9',
  '--no-wait',
]

/** Names of files stay inside of the directory that the command runs in. */
const isInside = (text: string): boolean =>
  !text.includes('/') && text !== '..' && !text.includes('\0')
const oddValue = anyText.map((text) => text.toWellFormed()).filter(isInside)
const value = fc
  .oneof(
    {
      weight: 6,
      arbitrary: fc.constantFrom(
        'web',
        'web.prod',
        'n1',
        'web-0-abcdefgh',
        'prod',
        'json',
        'yaml',
        'table',
        'wide',
        'spec.yaml',
        'bad.yaml',
        'nope.yaml',
        '.',
        '-',
        '3',
        '0',
        '5s',
        '60s',
        'team=x',
        'team-',
        '=',
        'http',
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '-1',
        '1.5',
        '1e9',
        '99999999999',
        '5',
        '0s',
        '1h30m',
        '999999999h',
        'NaN',
        '.prod',
        'web.',
        'a.b.c',
        '..',
        'context.yaml',
        'none.yaml',
      ),
    },
    { weight: 2, arbitrary: oddValue },
  )
  .filter(isInside)
const word = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...flags) },
  { weight: 5, arbitrary: value },
  { weight: 2, arbitrary: fc.constantFrom(...subverbs) },
)

const likely: readonly (readonly string[])[] = [
  ['get', 'services'],
  ['get', 'instances', '-o', 'wide'],
  ['get', 'nodes', '-w'],
  ['get', 'zones', '-o', 'json'],
  ['describe', 'service', 'web'],
  ['describe', 'node', 'n1'],
  ['describe', 'instance', 'web-0-abcdefgh'],
  ['explain', 'web'],
  ['apply', '-f', 'spec.yaml'],
  ['apply', '-f', 'spec.yaml', '--wait'],
  ['validate', '-f', '-'],
  ['diff', '-f', 'spec.yaml'],
  ['plan', '-f', 'spec.yaml'],
  ['scale', 'web', '--replicas', '3'],
  ['restart', 'web', '--wait'],
  ['rollout', 'status', 'web'],
  ['rollout', 'history', 'web'],
  ['rollout', 'undo', 'web', '--to', '1'],
  ['node', 'drain', 'n1', '--wait'],
  ['node', 'label', 'n1', 'a=b'],
  ['delete', 'service', 'web', '--wait'],
  ['delete', 'node', 'n1'],
  ['events'],
  ['events', '-f'],
  ['logs', 'web'],
  ['logs', 'web-0-abcdefgh', '-f'],
  ['exec', 'web-0-abcdefgh', '--', 'true'],
  ['top', 'nodes'],
  ['top', 'instances'],
  ['resolve', 'web.prod'],
  ['token', 'create', '--node'],
  ['backup', 'out.db'],
  ['restore', 'spec.yaml', '--data', 'd'],
  ['schema', 'Service'],
  ['completion', 'bash'],
  ['version'],
  ['help', 'get'],
  ['__complete', 'get', ''],
]

/** Command lines: sensible ones with words put in and taken away, and heaps of words. */
export const commandLine: fc.Arbitrary<readonly string[]> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...likely),
        fc.array(fc.tuple(fc.nat(), fc.nat({ max: 1 }), word), { maxLength: 3 }),
      )
      .map(([line, edits]) => {
        const words = [...line]
        for (const [at, dropped, word] of edits)
          words.splice(at % (words.length + 1), dropped, word)
        return words
      }),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(...verbs), fc.array(word, { maxLength: 6 }))
      .map(([verb, rest]) => [verb, ...rest]),
  },
  { weight: 1, arbitrary: fc.array(word, { maxLength: 5 }) },
)

const server = fc.oneof(
  { weight: 4, arbitrary: fc.constant('http://127.0.0.1:1') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'https://127.0.0.1:1/',
      'http://a:99999',
      'http://[',
      'http://%',
      'http://x:y@z',
      'ftp://x',
      'http://',
      'http://\u0001',
      'http://ä',
      'http:// ',
      'http://a?b',
      'http://a#b',
      'http://.',
      'http://127.0.0.1:',
    ),
  },
)
const token = fc.oneof(
  { weight: 4, arbitrary: fc.constant('secret') },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      'é',
      '"a\\nb"',
      '"\\u0000"',
      '1',
      '~',
      '[a]',
      'x'.repeat(100_000),
      '"\\ud800"',
      '日本',
    ),
  },
)

/** Context files: right ones, odd ones and what is none. */
export const contextFile = fc.oneof(
  { weight: 6, arbitrary: fc.constant('server: http://127.0.0.1:1\ntoken: secret\n') },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        server,
        token,
        fc.constantFrom(
          '',
          'environment: prod',
          'environment: ""',
          'environment: "é/\\t"',
          'environment: 1',
          'nope: 1',
          'server: x',
        ),
      )
      .map(
        ([server, token, rest]) => `server: ${JSON.stringify(server)}\ntoken: ${token}\n${rest}\n`,
      ),
  },
  { weight: 1, arbitrary: anyText },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      'a: &a [*a]',
      '- '.repeat(5000),
      '['.repeat(5000),
      'server: !!js/function x',
      '\0',
      `server: ${'x'.repeat(100_000)}`,
      '? ? ?',
    ),
  },
)
