import type Docker from 'dockerode'

import type { Host } from '../engines/host.ts'

/** Containers created and started at once on one engine; more does not help on two cores. */
export const rawConcurrency = 4

/** What one of Bulkhead's own containers was created from, so that both make exactly the same. */
export async function payloadOf(host: Host, containerId: string): Promise<Docker.ContainerCreateOptions> {
  const { Config, HostConfig } = await host.docker.getContainer(containerId).inspect()
  const { Image, Entrypoint, Cmd, Env, User, StopSignal, ExposedPorts } = Config as Docker.ContainerInspectInfo['Config'] & {
    StopSignal?: string
  }
  return {
    Image,
    ...(Entrypoint ? { Entrypoint } : {}),
    ...(Cmd ? { Cmd } : {}),
    Env,
    User,
    ...(StopSignal === undefined ? {} : { StopSignal }),
    ...(ExposedPorts ? { ExposedPorts } : {}),
    Labels: { 'bulkhead-bench': 'raw' },
    HostConfig: { ...HostConfig, PortBindings: {} },
  }
}

/** Creates and starts `count` containers in all, evenly over the hosts, through the engine's API alone. */
export async function deployRaw(hosts: readonly Host[], count: number, payload: Docker.ContainerCreateOptions): Promise<void> {
  await Promise.all(
    hosts.map(async (host, index) => {
      let left = Math.floor(count / hosts.length) + (index < count % hosts.length ? 1 : 0)
      const worker = async (): Promise<void> => {
        while (left > 0) {
          left -= 1
          const container = await host.docker.createContainer(payload)
          await container.start()
        }
      }
      await Promise.all(Array.from({ length: rawConcurrency }, worker))
    }),
  )
}

export async function removeRaw(hosts: readonly Host[]): Promise<void> {
  await Promise.all(
    hosts.map(async ({ docker }) => {
      const containers = await docker.listContainers({ all: true, filters: { label: ['bulkhead-bench=raw'] } })
      for (const { Id } of containers) await docker.getContainer(Id).remove({ force: true })
    }),
  )
}
