import { isWithin } from '../../network/core/address.ts'
import type { NameBridge } from './name-state.ts'

/**
 * The bridge that a question comes from: what is on it is of its environment and zone, as the kernel has it, too.
 * Null for everybody else, and for this host itself.
 */
export function bridgeOf(from: string, bridges: readonly NameBridge[]): NameBridge | null {
  const address = from.replace(/^::ffff:/, '')
  const isOn = ({ gateways, subnets }: NameBridge): boolean =>
    !gateways.includes(address) && subnets.some((subnet) => isWithin(address, subnet))
  return bridges.find(isOn) ?? null
}

/** A bridge without IPv6 leads to no address of it. */
export const hasIpv6 = ({ subnets }: NameBridge): boolean =>
  subnets.some((subnet) => subnet.includes(':'))
