import { join } from 'node:path'

import { addressOf, type Claim, takeClaim } from './claim.ts'
import { demolish, sweep } from './demolish.ts'
import { type ExecOptions, type HostProcess, startOutside } from './host-process.ts'
import { EngineHost, type Host } from './host.ts'
import { publishTestImages, type TestImages } from './images.ts'
import { readTails } from './logs.ts'
import { createBridge, outsideIndex } from './network.ts'
import { type Credentials, type Registry, startRegistry } from './registry.ts'

/** What to make. */
export interface HostsOptions {
  readonly count: number
  /** A registry outside the hosts, with the images for tests in it; with a password if given. */
  readonly registry?: boolean | Credentials
  /** More arguments for every dockerd, such as --live-restore. */
  readonly engineArguments?: readonly string[]
}

/** Hosts that are on, with engines that answer. Disposing removes every trace of them. */
export interface Hosts extends AsyncDisposable {
  readonly hosts: readonly Host[]
  /** Tells runs on this machine apart; the hosts have the addresses 10.99.NUMBER.x. */
  readonly number: number
  /** Interface that connects the hosts, seen from outside. */
  readonly bridge: string
  /** The outside: where control plane and registry listen. Not reachable from other machines. */
  readonly address: string
  /** A folder for files of this run, removed at the end. */
  readonly directory: string
  /** Throws when none was asked for. */
  readonly registry: Registry
  readonly images: TestImages
  /** The host with that number, from 1. */
  host(number: number): Host
  /** Starts a process outside the hosts, such as a control plane; it is killed at the end. */
  exec(argv: readonly string[], options?: ExecOptions): HostProcess
  /** The last lines of all logs. */
  logs(lines?: number): string
}

const hostLimit = 100
const live = new Set<() => Promise<void>>()
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** When the run is interrupted, clears away first and then lets the signal do what it does. */
function onSignal(signal: NodeJS.Signals): void {
  void disposeAll().finally(() => {
    for (const name of signals) process.off(name, onSignal)
    process.kill(process.pid, signal)
  })
}

async function disposeAll(): Promise<void> {
  await Promise.allSettled([...live].map((dispose) => dispose()))
}

function register(dispose: () => Promise<void>): void {
  if (live.size === 0) for (const signal of signals) process.on(signal, onSignal)
  live.add(dispose)
}

function unregister(dispose: () => Promise<void>): void {
  live.delete(dispose)
  if (live.size === 0) for (const signal of signals) process.off(signal, onSignal)
}

interface Parts {
  readonly claim: Claim
  readonly hosts: readonly EngineHost[]
  readonly processes: HostProcess[]
  registry: Registry | undefined
  images: TestImages | undefined
}

async function startAll(parts: Parts, options: HostsOptions): Promise<void> {
  const { claim, hosts } = parts
  await createBridge(claim)
  const engines = Promise.all(hosts.map((host) => host.startEngine()))
  const { registry: wanted = false } = options
  const images = async () => {
    if (wanted === false) return
    const credentials = wanted === true ? {} : { credentials: wanted }
    parts.registry = await startRegistry({
      address: addressOf(claim, outsideIndex),
      directory: join(claim.directory, 'registry'),
      ...credentials,
    })
    parts.images = await publishTestImages(parts.registry)
  }
  const results = await Promise.allSettled([engines, images()])
  const failure = results.find((result) => result.status === 'rejected')
  if (failure !== undefined) throw failure.reason
}

async function removeAll({ claim, hosts, processes, registry }: Parts): Promise<void> {
  for (const outside of processes) outside.kill('SIGKILL')
  await Promise.allSettled(processes.map((outside) => outside.exited))
  await Promise.all(hosts.map((host) => host.powerOff()))
  await registry?.[Symbol.asyncDispose]()
  await demolish(claim)
}

function demand<T>(part: T | undefined, name: string): T {
  if (part === undefined) throw new Error(`these hosts were made without ${name}`)
  return part
}

/** Makes hosts, numbered from 1, each with its engine, and if wanted a registry with images. */
export async function createHosts(options: HostsOptions): Promise<Hosts> {
  if (options.count < 1 || options.count > hostLimit) {
    throw new RangeError(`count: ${options.count} is not from 1 to ${hostLimit}`)
  }
  await sweep()
  const claim = takeClaim()
  const bridgeAddress = addressOf(claim, outsideIndex)
  const { engineArguments = [] } = options
  const hosts = Array.from(
    { length: options.count },
    (_, i) => new EngineHost({ claim, index: i + 1, bridgeAddress, engineArguments }),
  )
  const parts: Parts = { claim, hosts, processes: [], registry: undefined, images: undefined }
  let disposal: Promise<void> | undefined
  const dispose = () => (disposal ??= removeAll(parts).finally(() => unregister(dispose)))
  register(dispose)
  try {
    await startAll(parts, options)
  } catch (error) {
    await dispose()
    throw error
  }
  return {
    hosts,
    number: claim.number,
    bridge: claim.bridge,
    address: bridgeAddress,
    directory: claim.directory,
    get registry() {
      return demand(parts.registry, 'a registry')
    },
    get images() {
      return demand(parts.images, 'images')
    },
    host: (number) => demand(hosts[number - 1], `a host ${number}`),
    exec(argv, execOptions) {
      const log = join(claim.directory, `process${parts.processes.length + 1}.log`)
      const outside = startOutside(argv, log, execOptions)
      parts.processes.push(outside)
      return outside
    },
    logs: (lines) =>
      [readTails(claim.directory, 'outside', lines), ...hosts.map((host) => host.logs(lines))].join(
        '\n',
      ),
    [Symbol.asyncDispose]: dispose,
  }
}

/** What a test tells about itself; tap's tests do. */
export interface TestState {
  passing(): boolean
}

/**
 * Runs `body` with hosts and removes them at the end. Prints the last lines of all logs when the
 * body throws or the test does not pass.
 */
export async function withHosts(
  test: TestState,
  options: HostsOptions,
  body: (hosts: Hosts) => Promise<void>,
): Promise<void> {
  await using hosts = await createHosts(options)
  let failed = true
  try {
    await body(hosts)
    failed = !test.passing()
  } finally {
    if (failed) process.stderr.write(`${hosts.logs()}\n`)
  }
}
