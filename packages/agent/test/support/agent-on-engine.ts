import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'

import { networkName } from '../../src/core/network-name.ts'
import { ownership } from '../../src/core/ownership.ts'
import { DockerEngine } from '../../src/engine/docker-engine.ts'
import { defaultLimits } from '../../src/engine/docker-payload.ts'
import { runAgent } from '../../src/main.ts'
import { findAddress } from '../../src/node/address.ts'
import { FakeServer } from './fake-server.ts'
import { callDocker, testDocker } from './real-engine.ts'

/** An agent on the real engine and a server that assigns what a test says; all of it goes when the test has ended. */
export async function agentOnEngine(t: { teardown(run: () => Promise<void>): unknown }) {
  const cluster = `test-${randomUUID().slice(0, 8)}`
  const environment = `e${cluster.slice(5)}`
  const data = await mkdtemp(join(tmpdir(), 'bulkhead-agent-'))
  const server = new FakeServer({ cluster })
  const url = await server.listen()
  const socketPath = testDocker ?? ''
  const engine = new DockerEngine(
    { clock: systemClock },
    { socketPath, limits: defaultLimits, withIpv6: false },
  )
  const address = (await findAddress()) ?? '127.0.0.1'
  const labels = { [ownership.cluster]: cluster }
  const alive = setInterval(() => {}, 1000)
  const basePort = 20_000 + Math.trunc(Math.random() * 10_000)
  const network = networkName(environment, 'application')

  let controller = new AbortController()
  let running: Promise<void> = Promise.resolve()
  const start = (options: object): void => {
    controller = new AbortController()
    const logger = pino({ level: process.env['BULKHEAD_TEST_LOG'] ?? 'silent' })
    running = runAgent({ data, ...options }, controller.signal, {
      logger,
      // This machine's own network is not the test's.
      kernel: null,
    })
    // A test that waits for what the agent will not do any more is to fail by that, not by this.
    running.catch(() => {})
  }
  const stop = async (): Promise<void> => {
    controller.abort()
    await running
  }
  t.teardown(async () => {
    await stop().catch(() => {})
    await server.close()
    for (const { id } of await engine.list(labels)) await engine.remove(id)
    await callDocker('DELETE', `/networks/${network}`)
    await rm(data, { recursive: true })
    clearInterval(alive)
  })
  const docker = `unix://${socketPath}`
  /** For the first start. */
  const joining = {
    server: url,
    token: 'join-token',
    name: 'node1',
    docker,
    address,
    zones: ['application'],
  }
  return {
    cluster,
    environment,
    data,
    server,
    engine,
    address,
    labels,
    basePort,
    network,
    start,
    stop,
    joining,
  }
}
