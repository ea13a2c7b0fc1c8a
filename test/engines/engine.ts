import { createRequire } from 'node:module'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

import type Docker from 'dockerode'

import { type HostProcess, startProcess } from './host-process.ts'
import type { Machine } from './machine.ts'

/** Where and how an engine runs. */
export interface EngineSettings {
  readonly name: string
  readonly directory: string
  /** Containers get addresses from 10.N.0.0/16, with an N that no other host has. */
  readonly containerNetwork: number
  readonly cgroup: string
  readonly insecureRegistries: string
  readonly extraArguments: readonly string[]
}

const startTimeoutMs = 60_000
const stopTimeoutMs = 30_000

// The package belongs to the agent; tests must speak to engines with the same one.
const agentRequire = createRequire(new URL('../../packages/agent/package.json', import.meta.url))
const DockerClient = agentRequire('dockerode') as typeof Docker

/** The socket of an engine, as seen from outside its host. */
export function socketOf(settings: EngineSettings): string {
  return join(settings.directory, 'docker.sock')
}

/** Makes a client for an engine's socket. */
export function createClient(socketPath: string): Docker {
  return new DockerClient({ socketPath })
}

function engineArguments(settings: EngineSettings): readonly string[] {
  const { containerNetwork: n, cgroup, directory } = settings
  return [
    `--data-root=${join(directory, 'data')}`,
    `--host=unix://${socketOf(settings)}`,
    '--host=unix:///run/docker.sock',
    `--bip=10.${n}.0.1/24`,
    `--default-address-pool=base=10.${n}.128.0/17,size=24`,
    '--exec-opt=native.cgroupdriver=cgroupfs',
    `--cgroup-parent=/${cgroup}`,
    '--userland-proxy=false',
    `--insecure-registry=${settings.insecureRegistries}`,
    '--log-level=warn',
    '--shutdown-timeout=5',
    ...settings.extraArguments,
  ]
}

/** Starts an engine in a machine and returns when it answers. */
export async function startEngine(
  machine: Machine,
  settings: EngineSettings,
  docker: Docker,
): Promise<HostProcess> {
  const log = join(settings.directory, 'dockerd.log')
  const argv = ['dockerd', ...engineArguments(settings)]
  const engine = await startProcess(machine, argv, log, { cwd: '/' })
  const deadline = performance.now() + startTimeoutMs
  while (engine.end === undefined && performance.now() < deadline) {
    const answers = await docker.ping().then(
      () => true,
      () => false,
    )
    if (answers) return engine
    await delay(50)
  }
  const problem = engine.end === undefined ? `no answer in ${startTimeoutMs} ms` : 'it ended'
  engine.kill('SIGKILL')
  const tail = engine.output().split('\n').slice(-20).join('\n')
  throw new Error(`the engine of ${settings.name} did not start: ${problem}; its log:\n${tail}`)
}

/** Sends an engine a signal and waits until it is gone. */
export async function stopEngine(engine: HostProcess, signal: NodeJS.Signals): Promise<void> {
  engine.kill(signal)
  const late = delay(stopTimeoutMs, 'late' as const, { ref: false })
  if ((await Promise.race([engine.exited, late])) === 'late') {
    throw new Error(`waited ${stopTimeoutMs} ms for the engine to end after ${signal}`)
  }
}
