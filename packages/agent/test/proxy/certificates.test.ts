import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'

import { certificateCheck } from '../../src/proxy/certificate-check.ts'
import { CertificateFiles } from '../../src/proxy/certificates.ts'

const make = (key: string): Buffer =>
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', key, '-nodes', '-days', '2', '-subj', '/CN=web'].concat([
      '-keyout',
      '-',
      '-out',
      '-',
    ]),
    { stdio: ['ignore', 'pipe', 'ignore'] },
  )

t.test('what cannot be loaded is a problem of its own, and stops nothing else', async (t) => {
  const files = new CertificateFiles(t.testdir())
  await files.set(
    new Map([
      ['prod/good', make('rsa:2048')],
      ['prod/weak', make('rsa:1024')],
      ['prod/text', Buffer.from('no certificate')],
    ]),
  )
  t.match(files.known.get('prod/good'), { digest: /^[0-9a-f]{16}$/ })
  t.match(files.known.get('prod/weak'), { problem: /it cannot be used for TLS: ee key too small/ })
  t.match(files.known.get('prod/text'), { problem: /no certificate/ })
})

t.test('HAProxy has the last word', async (t) => {
  const refused = new CertificateFiles(t.testdir(), async (file) => `no: ${file}`)
  await refused.set(new Map([['prod/good', make('rsa:2048')]]))
  t.match(refused.known.get('prod/good'), { problem: 'no: certificates/prod.good.pem' })
})

t.test('HAProxy is asked about each certificate once', async (t) => {
  const asked: string[] = []
  const files = new CertificateFiles(t.testdir(), async (file) => {
    asked.push(file)
    return null
  })
  const [one, two] = [make('rsa:2048'), make('rsa:2048')]
  await files.set(new Map([['prod/one', one]]))
  await files.set(
    new Map([
      ['prod/one', one],
      ['prod/two', two],
    ]),
  )
  await files.set(
    new Map([
      ['prod/one', two],
      ['prod/two', two],
    ]),
  )
  t.strictSame(asked, ['certificates/prod.one.pem', 'certificates/prod.two.pem'])
  t.strictSame(files.known.get('prod/one'), files.known.get('prod/two'))
})

t.test('HAProxy is asked', async (t) => {
  const directory = t.testdir({ certificates: {} })
  writeFileSync(join(directory, 'certificates', 'prod.good.pem'), make('rsa:2048'))
  writeFileSync(join(directory, 'certificates', 'prod.weak.pem'), make('rsa:1024'))
  const check = certificateCheck('/usr/sbin/haproxy', directory)
  t.equal(await check('certificates/prod.good.pem'), null)
  t.equal(await check('certificates/prod.weak.pem'), 'HAProxy cannot load it')
  const none = certificateCheck('/nonexistent/haproxy', directory)
  t.equal(await none('certificates/prod.weak.pem'), null, 'who cannot ask does not know')
})

t.test('nothing of a secret is left that is not needed, however its writing ended', async (t) => {
  const directory = t.testdir()
  mkdirSync(join(directory, 'certificates'))
  writeFileSync(join(directory, 'certificates', 'prod.old.pem.new'), 'half of a key')
  writeFileSync(join(directory, 'certificates', 'prod.old.pem'), 'a key')
  const files = new CertificateFiles(directory)
  await files.set(new Map([['prod/good', make('rsa:2048')]]))
  t.strictSame(readdirSync(join(directory, 'certificates')), ['prod.good.pem'])
})
