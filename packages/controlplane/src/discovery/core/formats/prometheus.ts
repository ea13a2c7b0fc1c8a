import { hostAndPort, type Offer } from './offered.ts'

/** One group of targets as Prometheus' `http_sd_configs` reads it. */
export interface TargetGroup {
  readonly targets: readonly [string]
  readonly labels: Readonly<Record<string, string>>
}

/** Each endpoint is a group of its own, because each has labels of its own. */
export function prometheusTargets(offers: readonly Offer[]): readonly TargetGroup[] {
  return offers
    .filter(({ offered }) => offered?.protocol !== 'udp')
    .flatMap(({ environment, service, zone, port, endpoints }) =>
      endpoints.map((endpoint): TargetGroup => {
        const { instance, node } = endpoint
        const labels = { environment, service, zone, port, instance, node }
        return { targets: [hostAndPort(endpoint)], labels }
      }),
    )
}
