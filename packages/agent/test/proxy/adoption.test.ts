import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'
import { t as tap, test } from 'tap'

import type { ProxyConfig } from '../../src/proxy/core/config.ts'
import { findMaster } from '../../src/proxy/find-master.ts'
import { Haproxy } from '../../src/proxy/haproxy.ts'
import { findAccount } from '../../src/proxy/installation.ts'
import { ask, startLoad } from './support/clients.ts'
import { startInstance } from './support/instance.ts'
import { configOf, installation, skip, startProxy, url, urlOf } from './support/real-proxy.ts'

const timeout = 180_000
tap.setTimeout(timeout)

const program = fileURLToPath(new URL('support/apply-program.ts', import.meta.url))
const argv = ['-W', '-S', 'unix@master.sock,mode,600', '-f', 'haproxy.cfg']

void test(
  'one that was started by an agent that ended at once is found',
  { skip, timeout },
  async (t) => {
    await using real = await startProxy()
    const instance = await startInstance('web-0')
    await real.proxy.apply(configOf({ servers: [instance.server] }))
    await real.proxy.stop()
    t.equal(await findMaster(real.directory), null)
    const left = spawn(installation.binary, argv, { cwd: real.directory, stdio: 'ignore' })
    // It has neither a socket yet, nor has anybody written down that it runs.
    const next = await real.again()
    const { leftOut } = await next.apply(configOf({ servers: [instance.server], more: 1 }))
    t.strictSame(leftOut, [])
    t.equal(next.pid, left.pid, 'it, and not another one beside it')
    t.equal(await findMaster(real.directory), left.pid)
    t.equal((await ask({ url: urlOf(2) })).status, 200)
    await next.stop()
    instance.kill()
  },
)

void test(
  'one that another format of the configuration started is gone on with',
  { skip, timeout },
  async (t) => {
    await using real = await startProxy()
    const instance = await startInstance('web-0')
    const { directory } = real
    const earlier = { ...installation, directory, account: null, threads: 1 }
    const before = new Haproxy({ clock: systemClock, logger: pino({ level: 'silent' }) }, earlier)
    await before.apply(configOf({ servers: [instance.server] }))
    const { pid } = before
    const load = startLoad(url)
    await real.proxy.apply(configOf({ servers: [instance.server], more: 1 }))
    t.equal(real.proxy.pid, pid)
    t.equal((await ask({ url: urlOf(2) })).status, 200)
    await load.stop()
    t.strictSame(load.failures, [])
    instance.kill()
  },
)

/** As it is after a package of HAProxy was upgraded, or moved. */
async function replaceProgram(moved: boolean) {
  const real = await startProxy()
  const instance = await startInstance('web-0')
  const elsewhere = await mkdtemp(join(tmpdir(), 'bulkhead-haproxy-'))
  const binary = join(elsewhere, 'haproxy')
  await copyFile(installation.binary, binary)
  const { directory } = real
  const earlier = { ...installation, binary, directory, account: null, threads: 1 }
  const before = new Haproxy({ clock: systemClock, logger: pino({ level: 'silent' }) }, earlier)
  await before.apply(configOf({ servers: [instance.server] }))
  await rm(binary)
  if (!moved) await copyFile(installation.binary, binary)
  const load = startLoad(url)
  const sinceMs = performance.now()
  await real.proxy.apply(configOf({ servers: [instance.server], more: 1 }))
  const tookMs = Math.round(performance.now() - sinceMs)
  const { status } = await ask({ url: urlOf(2) })
  await load.stop()
  instance.kill()
  await real[Symbol.asyncDispose]()
  await rm(elsewhere, { recursive: true })
  return { failures: load.failures, tookMs, status }
}

void test('one whose program was upgraded in its place', { skip, timeout }, async (t) => {
  const { failures, status } = await replaceProgram(false)
  t.strictSame(failures, [])
  t.equal(status, 200)
})

void test(
  'one whose program is no longer in its place is replaced',
  { skip, timeout },
  async (t) => {
    const { failures, status, tookMs } = await replaceProgram(true)
    t.comment(`${failures.length} requests failed meanwhile, within ${tookMs} ms`)
    t.equal(status, 200)
  },
)

/** One request after the other, until told to stop. */
async function askOn(signal: AbortSignal): Promise<{ answered: number; failures: string[] }> {
  const failures: string[] = []
  let answered = 0
  while (!signal.aborted) {
    const status = await ask({ url }).then(
      (answer) => answer.status,
      (error: unknown) => String(error),
    )
    if (status === 200) answered += 1
    else failures.push(String(status))
    await delay(10)
  }
  return { answered, failures }
}

void test('an agent that is killed in the midst of a reload', { skip, timeout }, async (t) => {
  await using real = await startProxy()
  const instance = await startInstance('web-0')
  const settings = {
    ...installation,
    directory: real.directory,
    account: await findAccount(),
    threads: 2,
  }
  const config = (more: number): ProxyConfig => configOf({ servers: [instance.server], more })
  await real.proxy.apply(config(0))
  const { pid } = real.proxy
  const stop = new AbortController()
  const asking = askOn(stop.signal)
  for (const [round, afterMs] of [40, 90, 140].entries()) {
    const more = 1 + (round % 2)
    const order = JSON.stringify({ settings, config: config(more) })
    const agent = spawn(process.execPath, [program, order], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    // It may be done, and have ended, before it is killed.
    const exited = once(agent, 'exit')
    await once(agent.stdout, 'data')
    await delay(afterMs)
    agent.kill('SIGKILL')
    await exited
    const { leftOut } = await (await real.again()).apply(config(more))
    t.strictSame(leftOut, [])
    t.equal((await ask({ url: urlOf(1 + more) })).status, 200, `killed after ${afterMs} ms`)
  }
  stop.abort()
  const { answered, failures } = await asking
  t.ok(answered > 20, `${answered} answers`)
  t.equal(real.proxy.pid, pid)
  t.strictSame(failures, [])
  instance.kill()
})

void test(
  'a proxy that begins has not ended, and one that was ended for good stays so',
  { skip, timeout },
  async (t) => {
    await using real = await startProxy()
    const instance = await startInstance('web-0')
    const said: string[] = []
    const noted = pino({ level: 'warn' }, { write: (line: string) => void said.push(line) })
    // So slow that the guard looks while it begins.
    const binary = join(t.testdir(), 'haproxy')
    await writeFile(binary, `#!/bin/sh\nsleep 0.5\nexec ${installation.binary} "$@"\n`, {
      mode: 0o755,
    })
    const settings = {
      ...installation,
      binary,
      directory: real.directory,
      account: null,
      threads: 1,
    }
    const proxy = new Haproxy({ clock: systemClock, logger: noted }, settings)
    const stop = new AbortController()
    const guarding = proxy.guard(stop.signal)
    for (let turn = 0; turn < 2; turn++) {
      await proxy.apply(configOf({ servers: [instance.server] }))
      await delay(300)
      t.equal((await ask({ url })).status, 200)
      await proxy.stop()
      await delay(500)
      t.equal(await findMaster(real.directory), null)
    }
    stop.abort()
    await guarding
    t.strictSame(said, [])
    instance.kill()
  },
)
