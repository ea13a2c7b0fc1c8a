import { test } from 'tap'

import { parseListeners, takenBySomebody } from '../../../src/proxy/core/listeners.ts'
import { reportSince } from '../../../src/proxy/core/report.ts'
import { closedFrontends, parseTraffic } from '../../../src/proxy/core/stats.ts'
import {
  excessWorkers,
  parseInfo,
  parseMaster,
  parseProcesses,
  parseServers,
} from '../../../src/proxy/core/worker.ts'
import { judge } from '../../../src/proxy/installation.ts'

const processes = `#<PID>          <type>          <reloads>       <uptime>        <version>
27448           master          2 [failed: 0]   0d00h00m02s     2.6.12-1+deb12u4
# workers
27515           worker          0               0d00h00m00s     2.6.12-1+deb12u4
# old workers
27483           worker          1               0d00h00m02s     2.6.12-1+deb12u4
# programs
`

void test('processes', (t) => {
  t.equal(parseMaster(processes), 27_448)
  t.equal(parseMaster('nonsense'), null)
  t.strictSame(parseProcesses(processes), [
    { pid: 27_515, reloads: 0 },
    { pid: 27_483, reloads: 1 },
  ])
  t.strictSame(parseInfo('Name: HAProxy\nStopping: 1\nCurrConns: 3\nnode: bulkhead-1\n'), {
    structure: 'bulkhead-1',
    isStopping: true,
    connections: 3,
  })
  t.strictSame(parseInfo('node: bulkhead-1\nStopping: 0\n'), {
    structure: 'bulkhead-1',
    isStopping: false,
    connections: 0,
  })
  t.equal(parseInfo("Can't find the target PID matching the prefix '@!999'\n"), null)
  t.end()
})

void test('which of many replaced processes end before their connections do', (t) => {
  const replaced = [
    { pid: 1, reloads: 4, connections: 2 },
    { pid: 2, reloads: 3, connections: 1 },
    { pid: 3, reloads: 2, connections: 9 },
    { pid: 4, reloads: 1, connections: 1 },
  ]
  const ended = (most: number) => excessWorkers(replaced, most).map(({ pid }) => pid)
  t.strictSame(ended(4), [])
  t.strictSame(ended(3), [2], 'of equals the one whose connections have lasted the longest')
  t.strictSame(ended(1), [2, 4, 1])
  t.end()
})

void test('servers and their state', (t) => {
  const text = `1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord
3 b1 1 i1 127.0.0.1 2 0 70 100 7 1 0 2 0 0 0 0 - 18101 -
3 b1 2 i2 fd00::1 0 1 50 50 7 1 0 0 0 0 0 0 - 18102 -
3 b1 3 i3 127.0.0.1 2 8 50 50 7 1 0 0 0 0 0 0 - 18103 -
`
  t.strictSame(parseServers(text), [
    {
      backend: 'b1',
      name: 'i1',
      address: '127.0.0.1',
      port: 18_101,
      weight: 70,
      isInMaintenance: false,
      isReady: true,
    },
    {
      backend: 'b1',
      name: 'i2',
      address: 'fd00::1',
      port: 18_102,
      weight: 50,
      isInMaintenance: true,
      isReady: false,
    },
    {
      backend: 'b1',
      name: 'i3',
      address: '127.0.0.1',
      port: 18_103,
      weight: 50,
      isInMaintenance: false,
      isReady: false,
    },
  ])
  t.throws(() => parseServers('Unknown command'), /no state of servers/)
  t.end()
})

void test('traffic is told as what came since', (t) => {
  const stat = (requests: number, fails: number): string =>
    `# pxname,svname,stot,bin,bout,econ,eresp,hrsp_5xx,connect,\ne.s.p,a,${requests},10,20,1,0,${fails},3,\nrelay4,self,9,9,9,0,0,0,0,\n`
  const first = parseTraffic(1, stat(5, 1))
  t.strictSame(first, [
    {
      process: 1,
      backend: 'e.s.p',
      server: 'a',
      requests: 5,
      errors: 2,
      connections: 3,
      bytesIn: 10,
      bytesOut: 20,
    },
  ])
  const one = reportSince(new Map(), first)
  t.strictSame(one.instances, [
    { instance: 'a', requests: 5, errors: 2, connections: 3, bytesIn: 10, bytesOut: 20 },
  ])
  const two = reportSince(one.told, [
    ...parseTraffic(1, stat(7, 1)),
    ...parseTraffic(2, stat(4, 0)),
  ])
  t.match(
    two.instances,
    [{ instance: 'a', requests: 6, errors: 1 }],
    'a new process counts from zero',
  )
  t.strictSame(reportSince(two.told, [...parseTraffic(1, stat(7, 1))]).instances, [], 'nothing new')
  t.end()
})

void test('frontends that do not listen', (t) => {
  const answer =
    'Name: HAProxy\nnode: bulkhead-1\nStopping: 0\nUptime: 0d, 1s\n\n# pxname,svname,status,\na,FRONTEND,OPEN,\nb,FRONTEND,PAUSED,\n\n'
  t.strictSame(closedFrontends(answer), ['b'])
  t.match(parseInfo(answer), { structure: 'bulkhead-1', isStopping: false })
  t.end()
})

void test('who listens where', (t) => {
  const listeners =
    parseListeners(`  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0101E70A:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 111 1 0 100 0 0 10 0
   1: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 222 1 0 100 0 0 10 0
   2: 0201E70A:1F90 0101E70A:0001 01 00000000:00000000 00:00000000 00000000     0        0 333 1 0 100 0 0 10 0
   3: 000000FD0000000000000000EFCDAB00:1F90 00000000000000000000000000000000:0000 0A 0 0 0 0 0 444 1
`)
  t.equal(listeners.length, 3)
  const at = (address: string, port: number) => ({
    name: address,
    address,
    port,
    mode: 'http' as const,
    isEdge: false,
    tls: null,
    routes: [],
    backend: null,
  })
  const wanted = [
    at('10.231.1.1', 8080),
    at('10.231.1.2', 8080),
    at('10.0.0.1', 80),
    at('fd00::ab:cdef', 8080),
  ]
  const names = (ours: readonly string[]) =>
    takenBySomebody(wanted, listeners, new Set(ours)).map(({ name }) => name)
  t.strictSame(names([]), ['10.231.1.1', '10.0.0.1', 'fd00::ab:cdef'])
  t.strictSame(names(['111', '444']), ['10.0.0.1'])
  t.strictSame(takenBySomebody([at('0.0.0.0', 8080)], listeners, new Set()).length, 1)
  t.end()
})

void test('which HAProxy can be used', (t) => {
  t.match(judge('HAProxy version 2.6.12-1+deb12u4 2026/10/17 - https://haproxy.org/\n', '/h'), {
    version: '2.6.12-1+deb12u4',
    binary: '/h',
  })
  t.match(judge('HAProxy version 3.2.5-abc 2025/09/17\n', '/h'), { version: '3.2.5-abc' })
  t.match(judge('HA-Proxy version 2.2.9-2+deb11u6 2023/12/23\n', '/h'), {
    version: null,
    reason: /2\.2\.9-2\+deb11u6 is too old: 2\.6/,
  })
  t.match(judge('hello', '/h'), { version: null, reason: /does not tell its version/ })
  t.end()
})
