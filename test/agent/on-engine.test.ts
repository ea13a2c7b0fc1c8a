import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

import { t as tap, test } from 'tap'

import { pull } from '../engines/containers.ts'
import { createHosts } from '../engines/hosts.ts'
import { whyNotEngines } from '../engines/skip.ts'

const skip = whyNotEngines() ?? false
const timeout = 300_000
tap.setTimeout(timeout)

const folder = fileURLToPath(new URL('../../packages/agent/test/engine/', import.meta.url))
const files = readdirSync(folder).filter((name) => name.endsWith('.engine.ts'))

// They reach containers by their addresses on the bridge, so they run inside a host, beside its engine.
void test('the agent’s tests that need a real engine', { skip, timeout }, async (t) => {
  t.ok(files.length > 0)
  await using hosts = await createHosts({ count: 1, registry: true })
  const host = hosts.host(1)
  const [echo] = hosts.images.echo
  await Promise.all([pull(host.docker, hosts.images.idle), pull(host.docker, echo)])
  for (const file of files) {
    const env = {
      // Seconds: on a busy machine an engine takes its time.
      TAP_TIMEOUT: '120',
      BULKHEAD_TEST_DOCKER: '/run/docker.sock',
      BULKHEAD_TEST_IMAGE: hosts.images.idle,
      BULKHEAD_TEST_NODE_IMAGE: echo,
    }
    const run = await host.exec([process.execPath, `${folder}${file}`], { env })
    const { code } = await run.exited
    const output = run.output()
    const ran = [...output.matchAll(/^ +ok /gm)].length
    t.comment(`${file}: ${ran} passed`)
    for (const [figures] of output.matchAll(/# .* p99 .*$/gm)) t.comment(figures)
    if (!t.equal(code, 0, file) || !t.ok(ran > 0, `${file} tested something`))
      t.comment(output.slice(-6000))
  }
})
