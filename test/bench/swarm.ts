import { setTimeout as delay } from 'node:timers/promises'

import { waitFor } from '../engines/command.ts'
import type { Host } from '../engines/host.ts'

const name = 'bench'
const network = 'bench'
const settleTimeoutMs = 180_000

interface Swarm {
  readonly manager: Host
  readonly hosts: readonly Host[]
}

export type { Swarm }

/** Makes a swarm of the hosts' engines, the first one its manager. */
export async function startSwarm(hosts: readonly Host[]): Promise<Swarm> {
  const [manager, ...workers] = hosts
  if (!manager) throw new Error('a swarm needs a host')
  await manager.docker.swarmInit({ ListenAddr: `${manager.address}:2377`, AdvertiseAddr: manager.address })
  const { JoinTokens } = (await manager.docker.swarmInspect()) as { JoinTokens: { Worker: string } }
  for (const worker of workers) {
    await worker.docker.swarmJoin({
      ListenAddr: `${worker.address}:2377`,
      AdvertiseAddr: worker.address,
      RemoteAddrs: [`${manager.address}:2377`],
      JoinToken: JoinTokens.Worker,
    })
  }
  // A bridge on each node, as Bulkhead's containers have one.
  const options = { 'com.docker.network.bridge.enable_icc': 'false' }
  await manager.docker.createNetwork({ Name: network, Driver: 'bridge', Scope: 'swarm', Options: options })
  return { manager, hosts }
}

export async function leaveSwarm({ hosts }: Swarm): Promise<void> {
  for (const { docker } of hosts.toReversed()) await docker.swarmLeave({ force: true }).catch(() => {})
}

async function runningTasks({ manager }: Swarm): Promise<{ id: string; node: string }[]> {
  const tasks = (await manager.docker.listTasks({
    filters: JSON.stringify({ service: [name], 'desired-state': ['running'] }),
  })) as { ID: string; NodeID: string; Status: { State: string } }[]
  return tasks.filter(({ Status }) => Status.State === 'running').map(({ ID, NodeID }) => ({ id: ID, node: NodeID }))
}

/** Creates a service of the same containers and waits until all replicas run. */
export async function deploySwarm(swarm: Swarm, image: string, replicas: number): Promise<void> {
  await createSwarmService(swarm, image, replicas)
  await waitForTasks(swarm, replicas)
}

export async function createSwarmService(swarm: Swarm, image: string, replicas: number): Promise<void> {
  await swarm.manager.docker.createService({
    Name: name,
    TaskTemplate: {
      ContainerSpec: {
        Image: image,
        User: '1000:1000',
        ReadOnly: true,
        StopGracePeriod: 1_000_000_000,
        CapabilityDrop: ['ALL'],
        Mounts: ['/tmp', '/run'].map((Target) => ({ Type: 'tmpfs', Source: '', Target, TmpfsOptions: { SizeBytes: 64 * 1024 * 1024, Mode: 0o1777 } })),
      },
      Resources: { Limits: { MemoryBytes: 16 * 1024 * 1024, NanoCPUs: 50_000_000, Pids: 256 } },
      Networks: [{ Target: network }],
      RestartPolicy: { Condition: 'any', Delay: 0 },
    },
    Mode: { Replicated: { Replicas: replicas } },
  })
}

export async function waitForTasks(swarm: Swarm, replicas: number): Promise<void> {
  await waitFor(`${replicas} tasks of the swarm`, settleTimeoutMs, async () => (await runningTasks(swarm)).length === replicas)
}

/** Removes the service and waits until its containers are gone. */
export async function removeSwarm(swarm: Swarm): Promise<void> {
  await swarm.manager.docker.getService(name).remove()
  await waitFor('the containers of the swarm to go', settleTimeoutMs, async () => {
    const lists = await Promise.all(
      swarm.hosts.map(({ docker }) => docker.listContainers({ all: true, filters: { label: [`com.docker.swarm.service.name=${name}`] } })),
    )
    return lists.flat().length === 0
  })
  await delay(500)
}

/** Resolves once all replicas run on nodes other than `host`. */
export async function waitElsewhere(swarm: Swarm, host: Host, replicas: number): Promise<void> {
  const nodes = (await swarm.manager.docker.listNodes()) as { ID: string; Description: { Hostname: string }; Status: { Addr: string } }[]
  const gone = nodes.find(({ Status, Description }) => Status.Addr === host.address || Description.Hostname === host.name)?.ID
  await waitFor('the swarm to run everything elsewhere', settleTimeoutMs, async () => {
    const tasks = await runningTasks(swarm)
    return tasks.filter(({ node }) => node !== gone).length >= replicas
  })
}
