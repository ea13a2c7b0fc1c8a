import {
  defaultClientAddress,
  defaultMode,
  type Exposure,
  type OfferedPort,
  type Port,
  type ServicePort,
  type ServiceSpec,
} from '@bulkhead/shared'

/** Records of earlier versions do not say how their ports are offered. */
export function offeredPorts({ ports }: ServiceSpec): Record<string, OfferedPort> {
  const stored: Readonly<Record<string, Port & Partial<ServicePort>>> = ports
  return Object.fromEntries(
    Object.entries(stored).map(([name, port]) => {
      const mode = port.mode ?? defaultMode(name, port.protocol, undefined)
      const clientAddress = port.clientAddress ?? defaultClientAddress(mode)
      return [name, { port: port.port, protocol: port.protocol, mode, clientAddress }]
    }),
  )
}

/** Likewise. */
export function offeredExposure(exposure: ServiceSpec['expose'][number]): Exposure {
  const { port, listen, host, path, tlsSecret }: Partial<Exposure> &
    Pick<Exposure, 'port' | 'listen' | 'host'> = exposure
  return { port, listen, host, path: path ?? '/', tlsSecret: tlsSecret ?? null }
}

export interface OfferedExposure extends Exposure {
  readonly mode: OfferedPort['mode']
}

/** What a service exposes, each with the mode of its port. */
export function offeredExposures(spec: ServiceSpec): OfferedExposure[] {
  const ports = offeredPorts(spec)
  return spec.expose.map((exposure) => ({
    ...offeredExposure(exposure),
    mode: ports[exposure.port]?.mode ?? 'tcp',
  }))
}
