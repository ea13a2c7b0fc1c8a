import t from 'tap'

import { lacks, ServedShop } from './support.ts'

const skip = lacks('dig', 'dnsutils')
const timeout = 60_000
t.setTimeout(timeout)

t.test('the control plane answers dig', { skip, timeout }, async (t) => {
  await using shop = await ServedShop.open()
  const name = 'shop.default.bulkhead'
  const short = async (...argv: readonly string[]): Promise<readonly string[]> =>
    (await shop.dig('+short', ...argv)).trim().split('\n').filter(Boolean).toSorted()

  await t.test('addresses and services', async (t) => {
    for (const transport of ['+notcp', '+tcp']) {
      t.same(await short(transport, name), ['127.0.0.1', '127.0.0.2'])
      const services = await short(transport, `_metrics._tcp.${name}`, 'SRV')
      t.equal(services.length, 2)
      const target = new RegExp(`^0 100 ${shop.metricsPort} shop-[01]-[a-z0-9]+\\.${name}\\.$`)
      for (const service of services) t.match(service, target)
      const [, , , instance = ''] = (services[0] ?? '').split(' ')
      t.match(await short(transport, instance), [/^127\.0\.0\.[12]$/])
    }
    t.match(
      await shop.dig(name),
      /flags: qr aa rd; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1/,
    )
    t.match(
      await shop.dig(`_metrics._tcp.${name}`, 'SRV'),
      /ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 3/,
    )
  })

  await t.test('what there is not', async (t) => {
    const none = await shop.dig('none.default.bulkhead')
    t.match(none, /status: NXDOMAIN/)
    t.match(
      none,
      /^bulkhead\.\s+1\s+IN\s+SOA\s+ns\.bulkhead\. hostmaster\.bulkhead\. \d+ 60 10 3600 1$/m,
    )
    t.match(await shop.dig(name, 'AAAA'), /status: NOERROR[^]*ANSWER: 0, AUTHORITY: 1/)
    t.match(await shop.dig('default.bulkhead'), /status: NOERROR[^]*ANSWER: 0, AUTHORITY: 1/)
    t.match(await shop.dig('test.bulkhead'), /status: NXDOMAIN/)
    t.match(await shop.dig('example.com'), /status: REFUSED/)
  })

  await t.test('the odd ones', async (t) => {
    t.match(await shop.dig(name, '+opcode=NOTIFY'), /status: NOTIMP/)
    t.match(await shop.dig('bulkhead', 'AXFR'), /Transfer failed/)
    t.match(await shop.dig('version.bind', 'TXT', 'CH'), /status: REFUSED/)
    t.match(await shop.dig(name, '+edns=1', '+noednsnegotiation'), /status: BADVERS/)
    t.match(await shop.dig(name, '+ednsopt=100:00ff', '+bufsize=512'), /status: NOERROR/)
    t.match(await shop.dig('ShOp.DeFaUlT.bUlKhEaD'), /^ShOp\.DeFaUlT\.bUlKhEaD\.\s+1\s+IN\s+A\s/m)
    t.notMatch(await shop.dig(name, '+qr'), /malformed|extra bytes|WARNING: (?!recursion)/i)
  })

  await t.test('a change is in the next answer', async (t) => {
    await shop.scale(1)
    t.equal((await short(name)).length, 1)
  })
})
