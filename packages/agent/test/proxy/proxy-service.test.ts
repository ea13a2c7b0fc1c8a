import { pino } from 'pino'
import t from 'tap'

import type { CertificateFiles, SecretValues } from '../../src/proxy/certificates.ts'
import { ProxyService, type ProxyServiceDeps } from '../../src/proxy/proxy-service.ts'
import { FakeClock } from '../support/fake-clock.ts'

function begin() {
  const clock = new FakeClock()
  const kept: string[][] = []
  const disk = { isFull: true, tries: 0 }
  const certificates = {
    known: new Map(),
    load: async () => {},
    set: async (values: SecretValues) => {
      disk.tries++
      if (disk.isFull) throw new Error('no space left on device')
      kept.push([...values.keys()])
    },
  }
  const deps = { clock, logger: pino({ level: 'silent' }), certificates }
  const service = new ProxyService({
    ...deps,
    certificates: certificates as unknown as CertificateFiles,
  } as unknown as ProxyServiceDeps)
  return { clock, service, disk, kept }
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
