import { test } from 'tap'

import type { ProxyConfig, Server } from '../../../src/proxy/core/config.ts'
import {
  commandLines,
  removableServers,
  serverCommands,
} from '../../../src/proxy/core/difference.ts'
import type { ObservedServer } from '../../../src/proxy/core/worker.ts'

const config = (servers: readonly Server[]): ProxyConfig => ({
  services: '10.231.0.0/16',
  services6: null,
  frontends: [],
  backends: [{ name: 'e.s.p', mode: 'http', clientAddress: 'header', servers }],
})

const server = (name: string, more: Partial<Server> = {}): Server => ({
  name,
  address: '10.0.0.1',
  port: 80,
  weight: 100,
  ...more,
})

const observed = (name: string, more: Partial<ObservedServer> = {}): ObservedServer => ({
  backend: 'e.s.p',
  ...server(name),
  isInMaintenance: false,
  isReady: true,
  ...more,
})

void test('commands from what there is to what is wanted', (t) => {
  const cases: readonly (readonly [
    string,
    readonly Server[],
    readonly ObservedServer[],
    readonly string[],
  ])[] = [
    ['nothing to do', [server('a')], [observed('a')], []],
    [
      'what is new comes before what goes',
      [server('b')],
      [observed('a')],
      [
        'add server e.s.p/b 10.0.0.1:80 weight 100 pool-purge-delay 200ms',
        'set server e.s.p/b state ready',
        'set server e.s.p/a state maint',
      ],
    ],
    [
      'what was withdrawn stays so',
      [],
      [observed('a', { isInMaintenance: true, isReady: false })],
      [],
    ],
    [
      'what comes back',
      [server('a')],
      [observed('a', { isInMaintenance: true, isReady: false })],
      ['set server e.s.p/a state ready'],
    ],
    [
      'what was drained by hand',
      [server('a')],
      [observed('a', { isReady: false })],
      ['set server e.s.p/a state ready'],
    ],
    [
      'another weight',
      [server('a', { weight: 0 })],
      [observed('a')],
      ['set server e.s.p/a weight 0'],
    ],
    [
      'another address',
      [server('a', { port: 81 })],
      [observed('a')],
      ['set server e.s.p/a addr 10.0.0.1 port 81'],
    ],
    [
      'an address in another form',
      [server('a', { address: 'fd00:0::1' })],
      [observed('a', { address: 'fd00::1' })],
      [],
    ],
    ['a backend that is not ours to change', [], [observed('self', { backend: 'relay4' })], []],
  ]
  for (const [what, wanted, has, commands] of cases)
    t.strictSame(serverCommands(config(wanted), has), commands, what)
  t.end()
})

void test('what was withdrawn can be forgotten', (t) => {
  const gone = observed('a', { isInMaintenance: true })
  t.strictSame(removableServers(config([server('b')]), [gone, observed('b')]), [
    'del server e.s.p/a',
  ])
  t.strictSame(removableServers(config([server('a')]), [gone]), [], 'it comes back just now')
  t.strictSame(removableServers(config([]), [observed('a')]), [], 'it is not withdrawn yet')
  t.strictSame(removableServers(config([]), [{ ...gone, backend: 'relay4' }]), [])
  t.end()
})

void test('commands are joined into lines that are not too long', (t) => {
  t.strictSame(commandLines(7, ['a', 'b', 'c'], 12), ['@!7 a; @!7 b', '@!7 c'])
  t.strictSame(commandLines(7, []), [])
  t.end()
})
