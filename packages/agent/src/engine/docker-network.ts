import type Docker from 'dockerode'
import type { NetworkCreateOptions, NetworkInspectInfo } from 'dockerode'

import { hasStatus } from './docker-call.ts'
import { EngineError } from './engine.ts'

const isolation = 'com.docker.network.bridge.enable_icc'

/**
 * Makes a bridge network whose containers cannot talk to each other, unless it is there; returns its gateway. One
 * that is there under the name, but does not isolate, is refused.
 */
export async function ensureBridge(
  docker: Docker,
  name: string,
  labels: Readonly<Record<string, string>>,
  abortSignal: AbortSignal,
): Promise<{ gateway: string }> {
  let found = await findBridges(docker, name, abortSignal)
  if (found.length === 0) {
    await createBridge(docker, name, labels, abortSignal)
    found = await findBridges(docker, name, abortSignal)
  }
  const [oldest, ...others] = found
  if (!oldest) throw new EngineError('conflict', `the network ${name} is gone again`)
  if (oldest.Options?.[isolation] !== 'false') {
    const text = `the network ${name} is there, and does not isolate containers`
    throw new EngineError('refused', text)
  }
  // Engines let two agents make the same network at once; the name then means neither.
  for (const other of others) await docker.getNetwork(other.Id).remove({ abortSignal })
  const gateways = (oldest.IPAM?.Config ?? []).map((config) => config['Gateway'] ?? '')
  const gateway = gateways.find((one) => one.includes('.'))
  if (!gateway) throw new EngineError('refused', `the network ${name} has no gateway`)
  return { gateway: gateway.replace(/\/.*$/, '') }
}

export async function removeBridge(
  docker: Docker,
  name: string,
  abortSignal: AbortSignal,
): Promise<void> {
  try {
    await docker.getNetwork(name).remove({ abortSignal })
  } catch (error) {
    if (hasStatus(error, 404)) return
    // The engine's word for a network with containers on it.
    if (hasStatus(error, 403)) throw new EngineError('conflict', `the network ${name} is in use`)
    throw error
  }
}

async function createBridge(
  docker: Docker,
  name: string,
  labels: Readonly<Record<string, string>>,
  abortSignal: AbortSignal,
): Promise<void> {
  const options: NetworkCreateOptions = {
    Name: name,
    Driver: 'bridge',
    CheckDuplicate: true,
    Labels: { ...labels },
    Options: { [isolation]: 'false' },
    abortSignal,
  }
  try {
    await docker.createNetwork(options)
  } catch (error) {
    // Somebody else was faster.
    if (!hasStatus(error, 409)) throw error
  }
}

/** Text that sorts by age. */
const age = ({ Created, Id }: NetworkInspectInfo): string => `${Created} ${Id}`

/** All networks of exactly this name, the oldest first. */
async function findBridges(
  docker: Docker,
  name: string,
  abortSignal: AbortSignal,
): Promise<readonly NetworkInspectInfo[]> {
  const found = await docker.listNetworks({ filters: { name: [name] }, abortSignal })
  return found
    .filter((network) => network.Name === name)
    .toSorted((a, b) => (age(a) < age(b) ? -1 : 1))
}
