import { randomBytes } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { BulkheadError, sleep, systemClock, type RegistryAccess } from '@bulkhead/shared'
import type { FastifyInstance } from 'fastify'
import { pino } from 'pino'
import { stringify } from 'yaml'

import { resolveImage } from './admission/images.ts'
import { makeApp } from './api/app.ts'
import { mintToken } from './api/auth.ts'
import { compose } from './compose.ts'
import { readConfig } from './config/read-config.ts'
import type { Config } from './config/config.ts'
import type { serveNames } from './dns/serve-names.ts'
import { favourSpeed } from './favour-speed.ts'
import type { Logger } from './logger.ts'
import { readKeys, writeKeys } from './secrets/key-file.ts'
import { Secrets } from './secrets/secrets.ts'
import { Vault } from './secrets/vault.ts'
import { listenForBeats } from './sessions/beat-socket.ts'
import { openState, type State } from './state/state.ts'
import { openSqliteStore } from './store/sqlite/sqlite-store.ts'
import { StoreFull, StoreUnusable, type Store } from './store/store.ts'

const closeTimeoutMs = 5000

export interface ControlPlaneOptions {
  readonly data: string
  readonly listen?: string
  readonly store?: string
  readonly config?: string
  readonly version: string
}

function readPasswords(config: Config): RegistryAccess[] {
  return config.images.registries.map(({ host, insecure, username, passwordFile }) => {
    if (passwordFile === null) return { host, insecure, username, password: null }
    try {
      return { host, insecure, username, password: readFileSync(passwordFile, 'utf8').trimEnd() }
    } catch (error) {
      throw new BulkheadError('bad-usage', `the password of registry ${host} cannot be read: ${(error as Error).message}`, 'check images.registries.passwordFile')
    }
  })
}

/** The context file of an administrator is written when there is none; its token never is anywhere else. */
async function writeAdminContext(data: string, state: State, server: string): Promise<void> {
  const file = join(data, 'admin.yaml')
  if (existsSync(file)) return
  const token = await state.write({ actor: 'controlplane' }, (tx) =>
    mintToken(tx, { kind: 'admin', node: null, zone: null, expiresAtMs: null }),
  )
  writeFileSync(file, stringify({ server, token }), { mode: 0o600 })
}

function openStore(data: string, kind: string, logger: Logger): Store {
  if (kind !== 'sqlite') {
    throw new BulkheadError('bad-usage', `store ${kind} is not there yet`, 'use --store sqlite, or leave it out')
  }
  try {
    mkdirSync(data, { recursive: true, mode: 0o700 })
    chmodSync(data, 0o700)
  } catch (error) {
    const why = (error as Error).message
    throw new BulkheadError('bad-usage', `the data directory ${data} cannot be made: ${why}`, 'choose another --data')
  }
  return readable(() => openSqliteStore({ directory: join(data, 'store'), logger, onLarge: favourSpeed }))
}

/** What the store says of its file is for people. */
function readable<T>(work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof StoreUnusable || error instanceof StoreFull) {
      throw new BulkheadError('store-failed', error.message)
    }
    throw error
  }
}

async function listen(app: FastifyInstance, { host, port }: Config['listen']): Promise<string> {
  try {
    return await app.listen({ host, port })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    const why = code === 'EADDRINUSE' ? 'the address is already in use' : message
    throw new BulkheadError('bad-usage', `cannot listen on ${host}:${port}: ${why}`, 'choose another address with --listen')
  }
}

/**
 * Runs a control plane until the signal is aborted; then stops taking requests, finishes what is on its way to
 * the disk, and resolves. `onReady` is told the URL. Throws BulkheadError for what people can mend.
 */
export async function runControlPlane(
  options: ControlPlaneOptions,
  signal: AbortSignal,
  onReady: (url: string) => void = () => undefined,
): Promise<void> {
  const config = readConfig(options.config, options.listen === undefined ? {} : { listen: options.listen })
  const logins = readPasswords(config)
  const logger: Logger = pino({ name: 'controlplane', level: process.env['BULKHEAD_LOG'] ?? 'info' })
  const store = openStore(options.data, options.store ?? 'sqlite', logger)
  const stop = new AbortController()
  const onAbort = (): void => stop.abort()
  signal.addEventListener('abort', onAbort, { once: true })
  let fatal: Error | null = null
  try {
    const state = await openState({
      store,
      clock: systemClock,
      logger,
      newClusterId: () => randomBytes(8).toString('hex'),
      onFatal(error) {
        fatal = error
        stop.abort()
      },
    })
    await serve(state, { backup: (file) => store.backup(file), options, config, logins, logger, stop: stop.signal, onReady })
    await state.close()
  } catch (error) {
    readable(() => {
      throw error
    })
  } finally {
    signal.removeEventListener('abort', onAbort)
    await store.close()
  }
  if (fatal !== null) throw new BulkheadError('store-failed', (fatal as Error).message, 'look at the log')
}

/** Loaded by those who want it only. */
async function openNames(...[deps, at]: Parameters<typeof serveNames>): ReturnType<typeof serveNames> {
  const { serveNames } = await import('./dns/serve-names.ts')
  return serveNames(deps, at)
}

interface Serving {
  readonly backup: (file: string) => Promise<void>
  readonly options: ControlPlaneOptions
  readonly config: Config
  readonly logins: readonly RegistryAccess[]
  readonly logger: Logger
  readonly stop: AbortSignal
  readonly onReady: (url: string) => void
}

async function serve(state: State, { backup, options, config, logins, logger, stop, onReady }: Serving): Promise<void> {
  const clock = systemClock
  const keyFile = join(options.data, 'secrets.key')
  const vault = new Vault(readKeys(keyFile))
  const secrets = new Secrets({ state, vault, saveKeys: (keys) => writeKeys(keyFile, keys) })
  const { monitor, tables, traffic, hub, loop } = compose({ state, clock, config, registries: logins, logger, vault }, stop)
  const app = await makeApp({
    state,
    hub,
    monitor,
    tables,
    traffic,
    config,
    clock,
    logger,
    version: options.version,
    backup,
    secrets,
    resolveImage: (name) => resolveImage(name, config.images, logins),
  })
  if (config.images.local === 'allow') {
    logger.warn({}, 'images.local is allow: images that exist only on an engine are run without a registry or digest')
  }
  await using open = new AsyncDisposableStack()
  if (config.dns !== null) open.use(await openNames({ state, tables, logger }, config.dns))
  const url = await listen(app, config.listen)
  const address = app.server.address()
  if (address !== null && typeof address === 'object') listenForBeats(hub.beats, address, logger, stop)
  await writeAdminContext(options.data, state, url)
  monitor.start(stop)
  loop.start(stop)
  logger.info({ url, cluster: state.view.cluster, revision: state.view.revision }, 'control plane is serving')
  onReady(url)
  if (!stop.aborted) {
    await new Promise<void>((resolve) => {
      stop.addEventListener('abort', () => resolve(), { once: true })
    })
  }
  // Connections whose other end is gone must not keep a control plane from ending.
  await Promise.race([app.close(), sleep(clock, closeTimeoutMs)])
}
