import type { EndpointTable, Policy } from '@bulkhead/shared'
import t from 'tap'

import type { Bridge } from '../../src/network/core/bridge.ts'
import { desiredRuleset, type NetworkView } from '../../src/network/core/desired.ts'
import { findDrift } from '../../src/network/core/drift.ts'
import { leavingElements } from '../../src/network/core/leaving.ts'
import { parseTable } from '../../src/network/core/readback.ts'
import { changeScript } from '../../src/network/core/script.ts'
import { deviceName, halved, reservedHalf, uniqueLocal } from '../../src/network/core/subnets.ts'
import { advertisedDevices } from '../../src/network/ipv6.ts'
import { aPolicy, aTable } from '../support/endpoints.ts'

const bridge = (zone: string, more: Partial<Bridge> = {}): Bridge => ({
  network: `bulkhead-prod-${zone}`,
  environment: 'prod',
  zone,
  device: `bh-${zone}`,
  gateways: ['172.18.0.1'],
  subnets: ['172.18.0.0/16'],
  fenced: ['172.18.128.0/17'],
  discoveryPort: 7071,
  ...more,
})

const endpoint = (address: string, hostPort: number) => ({
  instance: `i${hostPort}`,
  node: 'n2',
  zone: 'data',
  port: 'http',
  address,
  hostPort,
  weight: 100,
})

const tables = (...all: readonly EndpointTable[]): ReadonlyMap<string, EndpointTable> =>
  new Map(all.map((table) => [table.service, table]))

const peer = (address: string, zones: readonly string[]) => {
  return { node: address, address, zones: [...zones], environments: [] }
}

const policy: Policy = {
  ...aPolicy({ web: ['web', 'data'], data: ['data'] }),
  peers: [peer('10.0.0.1', ['web']), peer('10.0.0.2', ['data']), peer('10.0.0.3', ['other'])],
}

const view = (more: Partial<NetworkView> = {}): NetworkView => ({
  policy,
  tables: tables(aTable('prod/db', 'data', 5, [endpoint('10.0.0.2', 20_000)])),
  bridges: [bridge('web'), bridge('data', { subnets: ['fd00:1::/64'], gateways: ['FD00:1::1'] })],
  publications: [],
  fenced: [],
  ...more,
})

t.test('a bridge reaches what its zone does, and the agent on its gateway', async (t) => {
  const { sets } = desiredRuleset(view())
  const ofWeb = [...sets.reach4].filter((element) => element.startsWith('"bh-web"'))
  t.same(ofWeb.slice(0, 3), [
    '"bh-web" . 172.18.0.1 . udp . 53',
    '"bh-web" . 172.18.0.1 . tcp . 53',
    '"bh-web" . 172.18.0.1 . tcp . 7071',
  ])
  t.ok(sets.reach4.has('"bh-web" . 10.0.0.2 . tcp . 20000'))
  t.ok(sets.reach6.has('"bh-data" . fd00:1::1 . udp . 53'), 'as the kernel writes addresses')
  t.same([...sets.sources6], ['"bh-data" . fd00:1::/64'])
  const stranger = view({ bridges: [bridge('other'), bridge('web', { environment: 'test' })] })
  const reached = [...desiredRuleset(stranger).sets.reach4]
  t.notOk(
    reached.some((element) => element.includes('10.0.0.2')),
    'other zones and environments',
  )
  const closed = desiredRuleset(view({ policy: null })).sets
  t.notOk(
    [...closed.reach4].some((element) => element.includes('10.0.0.2')),
    'before any rules',
  )
})

t.test('a published port is for nodes whose zones reach it', async (t) => {
  const publication = {
    environment: 'prod',
    zone: 'data',
    address: '10.0.0.9',
    protocol: 'tcp',
    hostPort: 20_001,
    isFixed: true,
  } as const
  const { sets } = desiredRuleset(view({ publications: [publication] }))
  t.same([...sets.published4], ['10.0.0.9 . tcp . 20001'])
  t.same(
    [...sets.clients4],
    ['10.0.0.1 . 10.0.0.9 . tcp . 20001', '10.0.0.2 . 10.0.0.9 . tcp . 20001'],
  )
  t.same([...sets.open4], [], 'the zone is no edge')
  const zones = { ...policy.zones, data: { edge: true, reaches: ['data'], egress: [] } }
  const edge = view({ publications: [publication], policy: { ...policy, zones } })
  t.same([...desiredRuleset(edge).sets.open4], ['10.0.0.9 . tcp . 20001'])
  const elsewhere = {
    ...policy,
    peers: policy.peers.map((one) => ({ ...one, environments: ['test'] })),
  }
  const other = desiredRuleset(view({ publications: [publication], policy: elsewhere }))
  t.same([...other.sets.clients4], [])
})

t.test('changes are elements; rules are written anew when egress changes', async (t) => {
  const before = desiredRuleset(view({ tables: new Map() }))
  const after = desiredRuleset(view())
  t.equal(changeScript('inet b', after, after), '')
  const script = changeScript('inet b', before, after)
  t.match(script, /^add element inet b reach4 \{ .*"bh-web" \. 10\.0\.0\.2 \. tcp \. 20000/)
  t.match(changeScript('inet b', after, before), /^delete element inet b reach4 /)
  const egress = [{ to: '10.9.0.0/16', protocol: 'tcp' as const, ports: [443] }]
  const zones = { ...policy.zones, web: { edge: false, reaches: [], egress } }
  const leaving = changeScript(
    'inet b',
    after,
    desiredRuleset(view({ policy: { ...policy, zones } })),
  )
  t.match(leaving, 'flush table inet b\n')
  t.match(leaving, 'egress iifname { "bh-web" } ip daddr 10.9.0.0/16 tcp dport { 443 } accept')
  t.match(
    leaving,
    'egress_answers oifname { "bh-web" } ip saddr 10.9.0.0/16 tcp sport { 443 } accept',
  )
})

t.test('what the kernel says is compared', async (t) => {
  const wanted = desiredRuleset(view())
  const elem = [...wanted.sets.reach4].map((element) => {
    const [device, address, protocol, port] = element.split(' . ')
    return { concat: [device?.slice(1, -1), address, protocol, Number(port)] }
  })
  const rule = (text: string) => ({
    rule: { chain: 'to_bridge', handle: 1, expr: [{ counter: { packets: 3 } }, text] },
  })
  const listing = (...rules: readonly object[]) => ({
    nftables: [{ metainfo: {} }, { set: { name: 'reach4', handle: 2, elem } }, ...rules],
  })
  const found = parseTable(listing(rule('drop')))
  t.same(found.sets.reach4, wanted.sets.reach4)
  const sets = { ...found, sets: wanted.sets }
  const expected = { structure: found.structure, ruleset: wanted, leaving: new Set<string>() }
  t.same(findDrift(expected, sets), [])
  t.same(findDrift(expected, null), ['the whole table is gone'])
  const gone = parseTable(listing())
  t.match(findDrift(expected, { ...gone, sets: wanted.sets }), ['chain to_bridge is gone'])
  const less = { ...wanted.sets, bridges: new Set(['"bh-web"', '"eth9"']) }
  t.same(findDrift(expected, { ...found, sets: less }), [
    'set bridges lacks "bh-data"',
    'set bridges also had "eth9"',
  ])
  const left = { ...sets, leaving: new Set(['"bh-web" . 10.0.0.9 . tcp . 22']) }
  t.same(findDrift(expected, left), ['set leaving also had "bh-web" . 10.0.0.9 . tcp . 22'])
  t.same(findDrift({ ...expected, leaving: left.leaving }, left), [], 'which it may have')
  t.same(findDrift({ ...expected, leaving: left.leaving }, sets), [], 'and which go by themselves')
  t.match(findDrift(expected, parseTable({})), [/cannot be read/])
})

t.test(
  'an endpoint that leaves keeps what was begun with it, a permission that goes does not',
  async (t) => {
    const before = view()
    const after = view({ tables: tables(aTable('prod/db', 'data', 6, [])) })
    t.same(leavingElements(before, after, before.bridges), [
      '"bh-web" . 10.0.0.2 . tcp . 20000',
      '"bh-data" . 10.0.0.2 . tcp . 20000',
    ])
    const zones = { ...policy.zones, web: { edge: false, reaches: [], egress: [] } }
    const forbidden = { ...after, policy: { ...policy, zones } }
    t.same(leavingElements(before, forbidden, before.bridges), [])
    const external = { ...aTable('prod/db', 'data', 6, []), external: true }
    t.same(leavingElements(before, view({ tables: tables(external) }), before.bridges), [])
  },
)

t.test('networks in halves', async (t) => {
  const plan = { Subnet: '172.18.0.0/16', Gateway: '172.18.0.1' }
  t.same(halved(plan), { subnet: '172.18.0.0/16', gateway: '172.18.0.1', range: '172.18.0.0/17' })
  t.equal(reservedHalf({ ...plan, IPRange: '172.18.0.0/17' }), '172.18.128.0/17')
  t.equal(reservedHalf(plan), null, 'one that was made otherwise')
  t.equal(reservedHalf({ Subnet: '10.1.2.0/24', IPRange: '10.1.2.0/25' }), '10.1.2.128/25')
  const six = uniqueLocal('bulkhead-prod-web', {})
  t.match(six.subnet, /^fd[0-9a-f:]+::\/64$/)
  t.equal(
    reservedHalf({ Subnet: six.subnet, IPRange: six.range ?? '' })?.endsWith(':8000::/65'),
    true,
  )
  t.match(deviceName('n', {}), /^bh-[0-9a-f]{12}$/)
})

t.test('routes that a router advertised', async (t) => {
  const zero = '00000000000000000000000000000000'
  const line = (flags: string, device: string) =>
    `${zero} 00 ${zero} 00 fe800000000000000000000000000001 00000400 1 0 ${flags} ${device}`
  t.same(advertisedDevices([line('00450003', 'eth0'), line('00000003', 'eth1'), ''].join('\n')), [
    'eth0',
  ])
})
