import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

import t from 'tap'

import { waitFor } from '../engines/command.ts'
import { freePort } from '../faults/lone-control-plane.ts'
import { lacks, ServedShop } from './support.ts'

const skip = lacks('prometheus', 'prometheus')
const timeout = 120_000
t.setTimeout(timeout)

interface Sample {
  readonly metric: Readonly<Record<string, string>>
  readonly value: readonly [number, string]
}

/** As in docs/discovery.md. */
const configuration = (server: string, tokenFile: string): string => `
global: { scrape_interval: 500ms }
scrape_configs:
  - job_name: services
    http_sd_configs:
      - url: ${server}/v1/sd/prometheus?port=metrics
        refresh_interval: 500ms
        authorization: { type: Bearer, credentials_file: ${tokenFile} }
  - job_name: bulkhead
    authorization: { credentials_file: ${tokenFile} }
    static_configs: [{ targets: ["${new URL(server).host}"] }]
`

t.test('Prometheus finds and scrapes what runs', { skip, timeout }, async (t) => {
  await using shop = await ServedShop.open()
  const port = await freePort()
  const tokenFile = join(shop.directory, 'token')
  const file = join(shop.directory, 'prometheus.yml')
  writeFileSync(tokenFile, await shop.token('metrics'), { mode: 0o600 })
  writeFileSync(file, configuration(shop.controlPlane.url, tokenFile))
  const argv = [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(shop.directory, 'tsdb')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const prometheus = spawn('prometheus', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  prometheus.stderr.on('data', (text) => (log = `${log}${text}`.slice(-4000)))
  t.teardown(() => prometheus.kill('SIGKILL'))

  const query = async (expression: string): Promise<readonly Sample[]> => {
    const url = `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expression)}`
    const answer = await fetch(url, { signal: AbortSignal.timeout(2000) }).catch(() => null)
    if (!answer?.ok) return []
    return ((await answer.json()) as { data: { result: Sample[] } }).data.result
  }
  const until = (what: string, condition: () => Promise<boolean>): Promise<unknown> =>
    waitFor(what, 30_000, condition).catch((error: unknown) => {
      t.comment(log)
      throw error
    })

  await until('both to be scraped', async () => (await query('shop_orders_total')).length === 2)
  const samples = await query('shop_orders_total')
  for (const [index, sample] of samples.entries()) {
    const { metric, value } = sample
    t.match(metric, {
      environment: 'default',
      service: 'shop',
      zone: 'application',
      port: 'metrics',
    })
    t.match(
      metric,
      { instance: /^shop-[01]-/, node: /^n[12]$/, job: 'services' },
      `sample ${index}`,
    )
    t.equal(value[1], '7')
  }
  t.equal(new Set(samples.map(({ metric }) => metric['node'])).size, 2)
  await until('the control plane', async () => (await query('bulkhead_revision')).length === 1)
  await shop.scale(1)
  const startMs = performance.now()
  await until('one to be left', async () => (await query('up{job="services"}')).length === 1)
  t.comment(
    `one that is gone is not scraped any more after ${Math.round(performance.now() - startMs)} ms`,
  )
})
