import { execFileSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'

import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'

import { Firewall } from '../../../src/network/firewall.ts'
import { Nft } from '../../../src/network/nft.ts'
import { RuleWatch } from '../../../src/network/rule-watch.ts'
import { aPolicy, aTable } from '../../support/endpoints.ts'

// Run in a network namespace of its own, with a table of rules that others change. Prints as one line of JSON what was
// told of each change, and after how long the rules were as before.

const table = 'inet bulkhead'
const patienceMs = 5000
const told: string[] = []
let lists = 0
class CountedNft extends Nft {
  override list(name: string): Promise<unknown> {
    lists += 1
    return super.list(name)
  }
}
const kernel = new CountedNft()
const logger = pino({ level: 'silent' })
const bridge = {
  network: 'bulkhead-prod-web',
  environment: 'prod',
  zone: 'web',
  device: 'bh-web',
  gateways: ['172.18.0.1'],
  subnets: ['172.18.0.0/16'],
  fenced: ['172.18.128.0/17'],
  discoveryPort: 7071,
}
const firewall = new Firewall(
  {
    clock: systemClock,
    logger,
    kernel,
    isOn: () => true,
    onTrouble: () => {},
    surroundings: () => ({ bridges: [bridge], publications: [], fenced: [] }),
    onDrift: (reason) => told.push(reason),
    onInstalled: () => {},
  },
  table,
)
const check = (): Promise<void> => firewall.check()
const watch = new RuleWatch({ clock: systemClock, logger, kernel, check }, table)
const controller = new AbortController()

const nft = (script: string): string =>
  execFileSync('nft', ['-f', '-'], {
    input: script,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
const listing = (): string =>
  execFileSync('nft', ['list', 'ruleset'], { encoding: 'utf8' }).replaceAll(
    /packets \d+ bytes \d+/g,
    '',
  )

const endpoint = {
  instance: 'i',
  node: 'n',
  zone: 'web',
  port: 'http',
  address: '10.0.0.2',
  hostPort: 20_000,
  weight: 100,
}
const serve = (revision: number, isThere: boolean): Promise<void> => {
  const one = aTable('prod/api', 'web', revision, isThere ? [endpoint] : [])
  return firewall.serve({
    revision,
    tables: new Map([[one.service, one]]),
    policy: aPolicy({ web: [] }),
  })
}

await serve(1, true)
const running = watch.run(controller.signal)
await delay(1500)

const changes: Readonly<Record<string, string>> = {
  'all rules': `flush table ${table}`,
  'one rule more': `insert rule ${table} from_bridge accept`,
  'an element more': `add element ${table} reach4 { "bh-web" . 10.9.9.9 . tcp . 22 }`,
  'an element less': `delete element ${table} bridges { "bh-web" }`,
  'a network more': `add element ${table} sources4 { "bh-web" . 10.9.0.0/16 }`,
  'a connection that may go on': `add element ${table} leaving4 { "bh-web" . 10.9.9.9 . tcp . 22 timeout 1h }`,
  'the table asleep': `add table ${table} { flags dormant; }`,
  'the whole table': `delete table ${table}`,
  everything: 'flush ruleset',
}

async function reactTo(script: string): Promise<unknown> {
  const before = listing()
  const from = told.length
  nft(script)
  const changed = listing()
  const atMs = performance.now()
  while (listing() !== before && performance.now() - atMs < patienceMs) await delay(20)
  const afterMs = Math.round(performance.now() - atMs)
  while (told.length === from && performance.now() - atMs < patienceMs) await delay(20)
  return {
    isChanged: changed !== before,
    isRepaired: listing() === before,
    afterMs,
    told: told.slice(from),
  }
}

const seen: Record<string, unknown> = {}
for (const [name, script] of Object.entries(changes)) seen[name] = await reactTo(script)

// What is done here is not looked at as if others had done it; what is left by an endpoint is no change either.
await delay(1500)
const from = told.length
lists = 0
for (let revision = 2; revision < 12; revision++) {
  await serve(revision, revision % 2 === 1)
  await kernel.run(`flush set ${table} beat0\nadd element ${table} beat0 { ipv4 timeout 100ms }\n`)
  await delay(200)
}
await delay(1500)
await firewall.check()
const own = { lists, told: told.slice(from) }

// Others may change what is theirs.
lists = 0
for (let count = 0; count < 5; count++)
  nft('add table inet other\nadd chain inet other c\ndelete table inet other\n')
await delay(1500)
const foreign = { lists }

controller.abort()
await running
await firewall.remove()
process.stdout.write(JSON.stringify({ seen, own, foreign }))
