import type Docker from 'dockerode'

import type { Credentials } from './registry.ts'

/** How to start a container by hand, without an agent. */
export interface ContainerSettings {
  readonly name?: string
  readonly env?: Readonly<Record<string, string>>
  /** Container port → host port. */
  readonly publish?: Readonly<Record<number, number>>
  readonly command?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  /** Anything else of the engine's own host settings. */
  readonly host?: Docker.HostConfig
}

/** Pulls an image and waits until it is there. Throws what the engine says when it fails. */
export async function pull(docker: Docker, image: string, login?: Credentials): Promise<void> {
  const options = login === undefined ? {} : { authconfig: { ...login, serveraddress: '' } }
  const progress = await docker.pull(image, options)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  docker.modem.followProgress(progress, (error) => (error === null ? resolve() : reject(error)))
  return promise
}

/** Creates and starts a container of an image that the engine has. */
export async function startContainer(
  docker: Docker,
  image: string,
  settings: ContainerSettings = {},
): Promise<Docker.Container> {
  const ports = Object.entries(settings.publish ?? {})
  const container = await docker.createContainer({
    Image: image,
    ...(settings.name === undefined ? {} : { name: settings.name }),
    ...(settings.command === undefined ? {} : { Cmd: [...settings.command] }),
    Env: Object.entries(settings.env ?? {}).map(([key, value]) => `${key}=${value}`),
    Labels: { ...settings.labels },
    ExposedPorts: Object.fromEntries(ports.map(([port]) => [`${port}/tcp`, {}])),
    HostConfig: {
      ...settings.host,
      PortBindings: Object.fromEntries(
        ports.map(([port, hostPort]) => [`${port}/tcp`, [{ HostPort: `${hostPort}` }]]),
      ),
    },
  })
  await container.start()
  return container
}
