import { availableParallelism } from 'node:os'

import { type NetworkFacts, systemClock } from '@bulkhead/shared'
import type { Logger } from 'pino'

import { certificateCheck } from './certificate-check.ts'
import { CertificateFiles } from './certificates.ts'
import { proxyDirectory } from './directory.ts'
import { Haproxy } from './haproxy.ts'
import { findAccount, findHaproxy } from './installation.ts'
import { LocalNetworks } from './local-networks.ts'
import type { ProxyServiceDeps } from './proxy-service.ts'

/** The node's proxy, or why there is none. */
export interface OpenedProxy {
  readonly deps: Omit<ProxyServiceDeps, 'clock' | 'logger' | 'send' | 'node' | 'onServed'> | null
  readonly facts: Pick<NetworkFacts, 'proxy' | 'proxyReason'>
  /** Whether connections to the addresses of services are passed on here. */
  readonly isServing: () => boolean
}

const mostThreads = 8

/** Finds HAProxy on the machine; the one that an earlier agent of this data directory left running is gone on with. */
export async function openProxy(data: string, logger: Logger): Promise<OpenedProxy> {
  const installation = await findHaproxy()
  if (installation.version === null) {
    const { reason } = installation
    logger.warn({ reason }, 'there is no proxy on the node')
    return { deps: null, facts: { proxy: null, proxyReason: reason }, isServing: () => false }
  }
  const { version, binary } = installation
  const directory = proxyDirectory(data)
  const threads = Math.min(availableParallelism(), mostThreads)
  const account = await findAccount()
  const settings = { version, binary, directory, account, threads }
  const proxy = new Haproxy({ clock: systemClock, logger }, settings)
  const local = new LocalNetworks(directory)
  return {
    deps: {
      proxy,
      makeLocal: (network) => local.make(network),
      unmakeLocal: () => local.unmakeAll(),
      own: (address, byName) => local.own(address, byName),
      certificates: new CertificateFiles(directory, certificateCheck(binary, directory)),
    },
    facts: { proxy: version, proxyReason: '' },
    isServing: () => proxy.isServing,
  }
}
