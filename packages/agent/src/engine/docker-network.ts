import type Docker from 'dockerode'
import type { NetworkCreateOptions, NetworkInspectInfo } from 'dockerode'

import {
  type AddressPlan,
  deviceName,
  gatewaysOf,
  halved,
  reservedHalf,
  type Subnet,
  uniqueLocal,
} from '../network/core/subnets.ts'
import { get, hasStatus } from './docker-call.ts'
import { EngineError, type NetworkInfo } from './engine.ts'

type Labels = Readonly<Record<string, string>>

const isolation = 'com.docker.network.bridge.enable_icc'
const device = 'com.docker.network.bridge.name'
/** Other networks may be made at the same time, and take what was just free. */
const tries = 3

/**
 * Makes a bridge network whose containers cannot talk to each other, unless it is there; says what it is like. One
 * that is there under the name, but does not isolate, is refused.
 */
export async function ensureBridge(
  docker: Docker,
  name: string,
  labels: Labels,
  withIpv6: boolean,
  abortSignal: AbortSignal,
): Promise<NetworkInfo> {
  let found = await findBridges(docker, name, abortSignal)
  if (found.length === 0) {
    await createBridge(docker, name, labels, withIpv6, abortSignal)
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
  return infoOf(oldest)
}

function infoOf(network: NetworkInspectInfo): NetworkInfo {
  const plans = (network.IPAM?.Config ?? []) as readonly AddressPlan[]
  const gateways = gatewaysOf(plans)
  const gateway = gateways.find((one) => one.includes('.'))
  if (!gateway) throw new EngineError('refused', `the network ${network.Name} has no gateway`)
  return {
    gateway,
    gateways,
    device: network.Options?.[device] ?? `br-${network.Id.slice(0, 12)}`,
    subnets: plans.flatMap(({ Subnet: subnet }) => subnet ?? []),
    reserved: plans.flatMap((plan) => reservedHalf(plan) ?? []),
  }
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

/** Those that run; what is not running has no endpoint on it. */
export async function disconnectAll(
  docker: Docker,
  name: string,
  abortSignal: AbortSignal,
): Promise<void> {
  const found = await get<NetworkInspectInfo>(docker, `/networks/${name}`, abortSignal).catch(
    (error: unknown) => {
      if (hasStatus(error, 404)) return null
      throw error
    },
  )
  const network = docker.getNetwork(name)
  for (const Container of Object.keys(found?.Containers ?? {})) {
    await network.disconnect({ Container, Force: true, abortSignal }).catch((error: unknown) => {
      // It has gone by itself.
      if (!hasStatus(error, 404)) throw error
    })
  }
}

async function createBridge(
  docker: Docker,
  name: string,
  labels: Labels,
  withIpv6: boolean,
  abortSignal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const free = await findFree(docker, name, labels, abortSignal)
    const six = withIpv6 ? [uniqueLocal(name, labels)] : []
    try {
      return await create(docker, name, labels, [free, ...six], abortSignal)
    } catch (error) {
      // Somebody else was faster.
      if (hasStatus(error, 409)) return
      if (attempt === tries) throw error
    }
  }
}

/** Addresses can be asked for only in a network whose range was named: so the engine is asked which one it would take. */
async function findFree(
  docker: Docker,
  name: string,
  labels: Labels,
  abortSignal: AbortSignal,
): Promise<Subnet> {
  // Of its own, for newer engines refuse a second network of a name, and two agents of one engine may try at once.
  const trial = `${deviceName(name, labels)}.trial`
  await removeBridge(docker, trial, abortSignal)
  const network = await docker.createNetwork({ ...baseOf(trial, labels), abortSignal })
  const [made] = await findBridges(docker, trial, abortSignal)
  await network.remove({ abortSignal })
  const free = halved(made?.IPAM?.Config?.[0] ?? {})
  if (free === null) throw new EngineError('refused', 'the engine gives networks no addresses')
  return free
}

async function create(
  docker: Docker,
  name: string,
  labels: Labels,
  subnets: readonly Subnet[],
  abortSignal: AbortSignal,
): Promise<void> {
  const base = baseOf(name, labels)
  await docker.createNetwork({
    ...base,
    Options: { ...base.Options, [device]: deviceName(name, labels) },
    EnableIPv6: subnets.length > 1,
    IPAM: {
      Driver: 'default',
      Config: subnets.map(({ subnet, gateway, range }) => ({
        Subnet: subnet,
        Gateway: gateway,
        ...(range === null ? {} : { IPRange: range }),
      })),
    },
    abortSignal,
  })
}

const baseOf = (name: string, labels: Labels): NetworkCreateOptions => ({
  Name: name,
  Driver: 'bridge',
  CheckDuplicate: true,
  Labels: { ...labels },
  Options: { [isolation]: 'false' },
})

/** Text that sorts by age; comparing by the rules of a language would take 3 MB of memory. */
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
