import { setTimeout as delay } from 'node:timers/promises'

import type { Cluster } from '../cluster/cluster.ts'
import { crash, running, witness } from '../cluster/witness.ts'
import type { Random } from '../simulation/random.ts'
import type { Clocks } from './clocks.ts'
import type { EngineLog } from './engine-log.ts'

export interface Scene {
  readonly cluster: Cluster
  readonly clocks: Clocks | null
  readonly log: EngineLog
  readonly random: Random
  /** A number from 1 to the number of hosts. */
  readonly number: number
  readonly durationMs: number
}

export interface Fault {
  readonly play: (scene: Scene) => Promise<void>
  readonly needsClocks?: boolean
}

const lossPercent = 20
const worstJumpS = 3600

const frozen = (find: (scene: Scene) => (signal: NodeJS.Signals) => void): Fault => ({
  async play(scene) {
    const kill = find(scene)
    kill('SIGSTOP')
    await delay(scene.durationMs)
    kill('SIGCONT')
  },
})

const engineEnded = (signal: NodeJS.Signals): Fault => ({
  async play({ cluster, number, durationMs }) {
    const host = cluster.hosts.host(number)
    await host.killEngine(signal)
    await delay(durationMs / 4)
    await host.startEngine()
  },
})

const clockSet = (nameOf: (scene: Scene) => string): Fault => ({
  needsClocks: true,
  async play(scene) {
    const { clocks, random, durationMs } = scene
    clocks?.set(nameOf(scene), random.integer(-worstJumpS, worstJumpS))
    await delay(durationMs)
  },
})

async function crashAll(cluster: Cluster, number: number): Promise<void> {
  const host = cluster.hosts.host(number)
  for (const { id } of running(await witness([host]))) await crash(host, id)
}

/** Each leaves the machines as it found them; what it did to the containers is for the cluster to mend. */
export const faults: Readonly<Record<string, Fault>> = {
  'host cut off': {
    async play({ cluster, number, durationMs }) {
      await cluster.hosts.host(number).cut()
      await delay(durationMs)
      await cluster.hosts.host(number).restore()
    },
  },
  'host without power': {
    async play({ cluster, log, number, durationMs }) {
      const host = cluster.hosts.host(number)
      await host.powerOff()
      log.powerWentOff(host.name)
      await delay(durationMs)
      await host.startEngine()
      await host.restore()
      await cluster.startAgent(number)
    },
  },
  'answers dropped': {
    async play({ cluster, number, durationMs }) {
      await cluster.hosts.host(number).dropFrom(cluster.hosts.address)
      await delay(durationMs)
      await cluster.hosts.host(number).clearDrops()
    },
  },
  'reports dropped': {
    async play({ cluster, number, durationMs }) {
      await cluster.hosts.host(number).dropToOutside()
      await delay(durationMs)
      await cluster.hosts.host(number).clearDrops()
    },
  },
  'a fifth of all packets lost': {
    async play({ cluster, durationMs }) {
      const { hosts, address } = cluster.hosts
      for (const host of hosts) {
        await host.dropFrom(address, lossPercent)
        await host.dropToOutside(lossPercent)
      }
      await delay(durationMs)
      for (const host of hosts) await host.clearDrops()
    },
  },
  'agent killed': {
    async play({ cluster, number }) {
      cluster.agent(number).kill('SIGKILL')
      await cluster.agent(number).exited
      await cluster.startAgent(number)
    },
  },
  'agent frozen': frozen(({ cluster, number }) => (signal) => cluster.agent(number).kill(signal)),
  'control plane killed': {
    async play({ cluster, durationMs }) {
      cluster.controlPlane().kill('SIGKILL')
      await cluster.controlPlane().exited
      await delay(durationMs / 4)
      await cluster.startControlPlane()
    },
  },
  'control plane frozen': frozen(({ cluster }) => (signal) => cluster.controlPlane().kill(signal)),
  'disk of the control plane full, and containers crashed': {
    async play({ cluster, number, durationMs }) {
      cluster.disk().fill()
      await crashAll(cluster, number)
      await delay(durationMs)
      cluster.disk().free()
    },
  },
  'clock of the control plane set': clockSet(() => 'controlplane'),
  'clock of an agent set': clockSet(({ number }) => `host${number}`),
  'engine killed': engineEnded('SIGKILL'),
  'engine restarted': engineEnded('SIGTERM'),
  'engine frozen': frozen(({ cluster, number }) => (signal) => cluster.hosts.host(number).signalEngine(signal)),
  'containers crashed': { play: ({ cluster, number }) => crashAll(cluster, number) },
  'restart asked for': {
    async play({ cluster }) {
      await cluster.run(['restart', 'web'])
    },
  },
  'host drained and given back': {
    async play({ cluster, number, durationMs }) {
      await cluster.run(['node', 'drain', `host${number}`])
      await delay(durationMs / 2)
      await cluster.run(['node', 'uncordon', `host${number}`])
    },
  },
}
