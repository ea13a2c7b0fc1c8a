import { execFileSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { Agent } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import {
  type EndpointTable,
  type Policy,
  serviceAddress,
  serviceAddress6,
  systemClock,
} from '@bulkhead/shared'
import { pino } from 'pino'

import { leaveMachine } from '../../../src/leave.ts'
import { openProxy } from '../../../src/proxy/open-proxy.ts'
import { ProxyService } from '../../../src/proxy/proxy-service.ts'
import { ask } from './clients.ts'
import { type Instance, startInstance } from './instance.ts'

// Run in a network namespace of its own. Prints what it has seen as one line of JSON.

const awake = setInterval(() => undefined, 1000)
const data = await mkdtemp(join(tmpdir(), 'bulkhead-proxy-'))
const services = '10.231.0.0/16'
const services6 = 'fd62:756c:6b00::/96'
const policy: Policy = {
  revision: 1,
  services,
  services6,
  zones: { application: { edge: false, reaches: ['application'], egress: [] } },
  peers: [],
}

function tableOf(
  name: string,
  addressIndex: number,
  instances: readonly Instance[],
): EndpointTable {
  const endpoints = instances.map(
    ({ server: { name: instance, address, port: hostPort, weight } }) => {
      return { instance, node: 'n', zone: 'application', port: 'http', address, hostPort, weight }
    },
  )
  return {
    service: `prod/${name}`,
    zone: 'application',
    revision: 1,
    addressIndex,
    ports: { http: { port: 8080, protocol: 'tcp', mode: 'http', clientAddress: 'header' } },
    expose: [],
    external: false,
    endpoints,
  }
}

const ip = (...argv: string[]): string => execFileSync('ip', argv, { encoding: 'utf8' })
const localRoutes = (): string =>
  ip('-4', 'route', 'show', 'table', 'local') + ip('-6', 'route', 'show', 'table', 'local')

const opened = await openProxy(data, pino({ level: 'silent' }))
if (opened.deps === null) throw new Error(opened.facts.proxyReason)
const node = () => ({ zones: ['application'], environments: [], edgeAddresses: [] })
const service = new ProxyService({
  clock: systemClock,
  logger: pino({ level: 'silent' }),
  ...opened.deps,
  send: () => {},
  onServed: () => {},
  node,
})
const serve = (...tables: EndpointTable[]): Promise<void> =>
  service.serve({ revision: 1, policy, tables: new Map(tables.map((one) => [one.service, one])) })

const [first, second] = [await startInstance('api-0'), await startInstance('api-1')]
await serve(tableOf('api', 300, [first]))
const seen: Record<string, unknown> = { routes: localRoutes(), isServing: opened.isServing() }
for (const [name, host] of [
  ['four', serviceAddress(services, 300)],
  ['six', `[${serviceAddress6(services6, services, 300)}]`],
] as const) {
  const url = `http://${host}:8080/`
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  await serve(tableOf('api', 300, [first]))
  const before = await ask({ url, agent })
  await serve(tableOf('api', 300, [first]), tableOf('web', 301, []))
  await serve(tableOf('api', 300, [second]), tableOf('web', 301, []))
  const after = await ask({ url, agent })
  seen[name] = [before.body, before.headers['x-seen-for'], after.body, after.headers['x-seen-for']]
  agent.destroy()
}
await leaveMachine(data)
seen['routesAfter'] = localRoutes()
seen['addressesAfter'] = ip('-6', 'address', 'show', 'dev', 'lo')
for (const instance of [first, second]) instance.kill()
await rm(data, { recursive: true })
clearInterval(awake)
process.stdout.write(`${JSON.stringify(seen)}\n`)
