import { pino } from 'pino'
import t from 'tap'

import type { CertificateFiles, SecretValues } from '../../src/proxy/certificates.ts'
import { ProxyService, type ProxyServiceDeps } from '../../src/proxy/proxy-service.ts'
import type { Traffic } from '../../src/traffic/consumer.ts'
import { FakeClock } from '../support/fake-clock.ts'

/** An edge with a service that asks for a certificate. */
const zone = { edge: true, reaches: ['presentation'], egress: [] }
const table = {
  service: 'prod/web',
  zone: 'presentation',
  revision: 1,
  addressIndex: 1,
  ports: { http: { port: 8080, protocol: 'tcp', mode: 'http', clientAddress: 'none' } },
  expose: [{ port: 'http', listen: 443, host: null, path: '/', tlsSecret: 'site' }],
  external: false,
  endpoints: [],
}
const traffic = {
  revision: 1,
  tables: new Map([['prod/web', table]]),
  policy: { services: '10.111.0.0/16', services6: null, zones: { presentation: zone } },
} as unknown as Traffic

function begin() {
  const clock = new FakeClock()
  const kept: string[][] = []
  const disk = { isFull: true, tries: 0 }
  const certificates = {
    known: new Map<string, object>(),
    load: async () => {},
    set: async (values: SecretValues) => {
      disk.tries++
      if (disk.isFull) throw new Error('no space left on device')
      kept.push([...values.keys()])
      certificates.known = new Map([...values.keys()].map((key) => [key, { digest: 'x' }]))
    },
  }
  const notices: string[] = []
  const deps = {
    clock,
    logger: pino({ level: 'silent' }),
    certificates,
    proxy: { apply: async () => ({ leftOut: [] }) },
    makeLocal: async () => {},
    node: () => ({ zones: ['presentation'], environments: [], edgeAddresses: ['10.0.0.1'] }),
    send: ({ reason }: { reason: string }) => notices.push(reason),
    onServed: () => {},
  }
  const service = new ProxyService({
    ...deps,
    certificates: certificates as unknown as CertificateFiles,
  } as unknown as ProxyServiceDeps)
  return { clock, service, disk, kept, notices }
}

const secret = (key: string) => ({ key, version: 1, value: 'eA==' })

t.test('secrets that cannot be kept are kept when there is room', async (t) => {
  const { clock, service, disk, kept } = begin()
  let heard = 0
  void service.setSecrets([secret('prod/old')], () => heard++)
  await clock.pass(10)
  void service.setSecrets([secret('prod/web')], () => heard++)
  await clock.pass(20_000)
  t.strictSame(kept, [])
  t.equal(heard, 0, 'nobody goes by what is not there')
  t.ok(disk.tries <= 10, `${disk.tries} tries`)
  disk.isFull = false
  await clock.pass(10_000)
  t.strictSame(kept, [['prod/web']], 'those that are needed now, once')
  t.equal(heard, 1)
})

t.test(
  'a secret that is on its way is not missed; one that stays away is told of, once',
  async (t) => {
    const { clock, service, disk, notices } = begin()
    disk.isFull = false
    await service.serve(traffic)
    await clock.pass(500)
    await service.setSecrets([secret('prod/site')], () => void service.serve(traffic))
    await clock.pass(10_000)
    t.strictSame(notices, [])
    await service.setSecrets([], () => void service.serve(traffic))
    await clock.pass(1500)
    t.strictSame(notices, [], 'not before it has lasted')
    await clock.pass(10_000)
    await service.serve(traffic)
    await clock.pass(10_000)
    t.match(notices, {
      length: 1,
      0: /^prod\/web is not exposed on port 443: there is no secret site/,
    })
  },
)
