import { nameHandler } from '../../../packages/agent/src/dns/name-handler.ts'
import { listenDns } from '../../../packages/shared/src/dns/listen.ts'
import { tables } from './names.ts'

// An agent's name server with everything before and behind it but the engine: prints its port, serves until killed.

const directory = {
  revision: 1,
  tables: new Map(tables.map((one) => [one.service, one])),
  reaches: { presentation: ['application'] },
  addresses: { services: '10.231.0.0/16', services6: 'fd62:756c:6b00::/96' },
}
/** dnsperf asks from loopback. */
const bridge = {
  environment: 'prod',
  zone: 'presentation',
  gateway: '127.0.0.254',
  gateways: ['127.0.0.254'],
  subnets: ['127.0.0.0/8', 'fd00::/64'],
}
const state = { bridges: [bridge], directory, forwarding: false, resolvConf: '' }
const handler = nameHandler({
  state: () => state,
  forwarder: null,
  onError: (problem) => process.stderr.write(`${String(problem)}\n`),
})
const { port } = await listenDns('127.0.0.1', 0, handler)
process.stdout.write(`${port}\n`)
