import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { systemClock } from '@bulkhead/shared'
import { pino } from 'pino'

import type { Backend, Frontend, ProxyConfig, Server } from '../../../src/proxy/core/config.ts'
import { Haproxy } from '../../../src/proxy/haproxy.ts'
import { findAccount, findHaproxy } from '../../../src/proxy/installation.ts'

const found = await findHaproxy()

/** For tap: why tests with a real HAProxy cannot run here, or false. */
export const skip = found.version === null ? found.reason : false

/** Of no use where tests are skipped. */
export const installation = found.version === null ? { version: '', binary: '' } : found

export interface RealProxy extends AsyncDisposable {
  readonly proxy: Haproxy
  readonly directory: string
  /** Another agent's process on the same directory. */
  again(): Promise<Haproxy>
}

const onTerminated = (): void => process.exit(143)

/** A HAProxy of its own, which ends with the test. */
export async function startProxy(
  more: { readonly mostReplaced?: number } = {},
): Promise<RealProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'bulkhead-proxy-'))
  const again = async (): Promise<Haproxy> => {
    const deps = { clock: systemClock, logger: pino({ level: 'silent' }) }
    return new Haproxy(deps, {
      ...installation,
      directory,
      account: await findAccount(),
      threads: 2,
      ...more,
    })
  }
  const proxy = await again()
  // Timers of the clock keep no process alive by themselves.
  const awake = setInterval(() => undefined, 1000)
  // A test that is called off must not leave it behind.
  const onExit = (): void => void (proxy.pid !== null && process.kill(proxy.pid))
  process.once('exit', onExit)
  process.once('SIGTERM', onTerminated)
  return {
    proxy,
    directory,
    again,
    async [Symbol.asyncDispose]() {
      await proxy.stop()
      process.off('exit', onExit)
      process.off('SIGTERM', onTerminated)
      clearInterval(awake)
      await rm(directory, { recursive: true, force: true })
    },
  }
}

/** Addresses that are local without a route, and of this process alone. */
export const services = `127.${100 + (process.pid % 100)}.0.0/16`
const address = (index: number): string => services.replace('.0.0/16', `.0.${index}`)

interface Wanted {
  readonly servers: readonly Server[]
  /** Frontends beside the first one. */
  readonly more?: number
  readonly mode?: Backend['mode']
  readonly clientAddress?: Backend['clientAddress']
}

export const port = 8080
export const url = `http://${address(1)}:${port}`
export const urlOf = (index: number): string => `http://${address(index)}:${port}`

/** One service, reached at one or more addresses. */
export function configOf(wanted: Wanted): ProxyConfig {
  const { servers, more = 0, mode = 'http', clientAddress = 'header' } = wanted
  const frontends = Array.from({ length: 1 + more }, (_, index): Frontend => ({
    name: `test.web${index}.http`,
    mode,
    address: address(index + 1),
    port,
    isEdge: false,
    tls: null,
    routes: [],
    backend: 'test.web.http',
  }))
  const backends = [{ name: 'test.web.http', mode, clientAddress, servers }]
  return { frontends, backends, services, services6: null }
}
