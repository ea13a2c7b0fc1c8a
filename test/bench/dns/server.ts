import { nameHandler } from '../../../packages/agent/src/dns/name-handler.ts'
import { listenDns } from '../../../packages/shared/src/dns/listen.ts'
import { tables } from './names.ts'

// An agent's name server with everything before and behind it but the engine: prints its port, serves until killed.

const policy = {
  revision: 1,
  services: '10.231.0.0/16',
  services6: 'fd62:756c:6b00::/96',
  zones: {},
  peers: [],
}
const directory = {
  revision: 1,
  tables: new Map(tables.map((one) => [one.service, one])),
  reaches: { presentation: ['application'] },
  policy,
}
const handler = nameHandler({
  directory,
  findAsker: async () => ({ environment: 'prod', zone: 'presentation' }),
  servesAddresses: () => true,
  forwarder: null,
  forwarding: false,
  logger: { error: (problem: unknown) => process.stderr.write(`${String(problem)}\n`) } as never,
})
const { port } = await listenDns('127.0.0.1', 0, handler)
process.stdout.write(`${port}\n`)
