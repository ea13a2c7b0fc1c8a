import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

import type Docker from 'dockerode'

import { addressOf, type Claim, cgroupOf } from './claim.ts'
import { run } from './command.ts'
import { createClient, type EngineSettings, socketOf, startEngine, stopEngine } from './engine.ts'
import { type ExecOptions, type HostProcess, startProcess } from './host-process.ts'
import { readTails } from './logs.ts'
import { type Machine, startMachine } from './machine.ts'
import { addDrop, addDropOutside, clearDrops, clearDropsOutside, connect, setLink } from './network.ts'

/** A Docker host of its own: processes, network, mounts, name and engine. */
export interface Host {
  /** Also its host name: host1, host2 … */
  readonly name: string
  readonly address: string
  /** The engine's socket, seen from outside; inside it is also at /run/docker.sock. */
  readonly socket: string
  /** The outside: the address of the bridge, where control plane and registry listen. */
  readonly bridgeAddress: string
  /** A folder that survives power failures, for an agent's data. */
  readonly directory: string
  readonly docker: Docker
  isOn(): boolean
  /** Starts a process inside the host. It dies with the host, at the latest with us. */
  exec(argv: readonly string[], options?: ExecOptions): Promise<HostProcess>
  /** Runs a command inside the host to its end and returns its standard output. */
  run(argv: readonly string[], timeoutMs?: number): Promise<string>
  /** Pulls the network cable. */
  cut(): Promise<void>
  restore(): Promise<void>
  /** Drops all packets from an address, or a share of them (`percent`), until cleared. */
  dropFrom(address: string, percent?: number): Promise<void>
  /** Drops all packets to the outside, or a share of them, until cleared. */
  dropToOutside(percent?: number): Promise<void>
  clearDrops(): Promise<void>
  /** All processes, connections, mounts and network settings are gone at once, disks stay. */
  powerOff(): Promise<void>
  /** Kills the engine alone (SIGKILL); containers run on. Waits until it is gone. */
  killEngine(signal?: NodeJS.Signals): Promise<void>
  /** Sends the engine a signal and does not wait for anything. */
  signalEngine(signal: NodeJS.Signals): void
  /** Starts the engine, and after a power failure the machine. */
  startEngine(): Promise<void>
  /** The last lines of everything that was logged on this host. */
  logs(lines?: number): string
}

/** What a host is made of. */
export interface HostSettings {
  readonly claim: Claim
  readonly index: number
  readonly bridgeAddress: string
  readonly engineArguments: readonly string[]
}

function engineSettings({ claim, index, engineArguments }: HostSettings): EngineSettings {
  return {
    name: `host${index}`,
    directory: join(claim.directory, `host${index}`),
    containerNetwork: 100 + index,
    cgroup: cgroupOf(claim, index),
    insecureRegistries: `${addressOf(claim, 0)}/24`,
    extraArguments: engineArguments,
  }
}

/** A host that is still off. */
export class EngineHost implements Host {
  readonly name: string
  readonly address: string
  readonly socket: string
  readonly bridgeAddress: string
  readonly directory: string
  readonly docker: Docker
  readonly #settings: HostSettings
  readonly #engineSettings: EngineSettings
  #machine: Machine | undefined
  #engine: HostProcess | undefined
  #processes = 0

  constructor(settings: HostSettings) {
    this.#settings = settings
    this.#engineSettings = engineSettings(settings)
    this.name = this.#engineSettings.name
    this.address = addressOf(settings.claim, settings.index)
    this.bridgeAddress = settings.bridgeAddress
    this.directory = join(this.#engineSettings.directory, 'files')
    this.socket = socketOf(this.#engineSettings)
    this.docker = createClient(this.socket)
    mkdirSync(this.directory, { recursive: true })
  }

  isOn(): boolean {
    return this.#machine?.isOn() ?? false
  }

  async exec(argv: readonly string[], options?: ExecOptions): Promise<HostProcess> {
    this.#processes += 1
    const log = join(this.#engineSettings.directory, `process${this.#processes}.log`)
    return startProcess(this.#running(), argv, log, options)
  }

  async run(argv: readonly string[], timeoutMs = 30_000): Promise<string> {
    return run(this.#running().enter(argv), { timeoutMs })
  }

  async cut(): Promise<void> {
    await setLink(this.#settings.claim, this.#settings.index, 'down')
  }

  async restore(): Promise<void> {
    await setLink(this.#settings.claim, this.#settings.index, 'up')
  }

  async dropFrom(address: string, percent = 100): Promise<void> {
    await addDrop(this.#running(), address, percent)
  }

  async dropToOutside(percent = 100): Promise<void> {
    await addDropOutside(this.#settings.claim, this.#settings.index, percent)
  }

  async clearDrops(): Promise<void> {
    await clearDropsOutside(this.#settings.claim, this.#settings.index)
    await clearDrops(this.#running())
  }

  async powerOff(): Promise<void> {
    if (this.#machine === undefined) return
    // A dying kernel says no goodbye to its connections; with the cable in, this one would.
    if (this.isOn()) await this.cut()
    await this.#machine.off()
    this.#machine = undefined
    this.#engine = undefined
  }

  async killEngine(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    if (this.#engine === undefined) throw new Error(`${this.name} has no engine that runs`)
    await stopEngine(this.#engine, signal)
    this.#engine = undefined
  }

  signalEngine(signal: NodeJS.Signals): void {
    if (this.#engine === undefined) throw new Error(`${this.name} has no engine that runs`)
    this.#engine.kill(signal)
  }

  async startEngine(): Promise<void> {
    if (this.#machine === undefined) {
      const { claim, index } = this.#settings
      this.#machine = await startMachine(this.name, this.#engineSettings.directory)
      await connect(claim, index, this.#machine)
    }
    this.#engine = await startEngine(this.#machine, this.#engineSettings, this.docker)
  }

  logs(lines?: number): string {
    return readTails(this.#engineSettings.directory, this.name, lines)
  }

  #running(): Machine {
    if (this.#machine === undefined) throw new Error(`${this.name} is off`)
    return this.#machine
  }
}
