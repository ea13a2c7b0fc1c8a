import type { ZoneView } from '@bulkhead/shared'

/** `10.20.0.0/16 tcp 443,8443`. */
export const shownEgress = ({ to, protocol, ports }: ZoneView['egress'][number]): string =>
  `${to} ${protocol} ${ports.join(',') || 'all ports'}`
