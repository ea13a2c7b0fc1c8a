import { endpoint, http, table } from '../../../packages/shared/test/dns/support.ts'

/** Services of both contenders, three endpoints each. */
export const tables = Array.from({ length: 100 }, (_, index) =>
  table(`prod/service-${index}`, {
    addressIndex: index + 1,
    ports: { http },
    endpoints: [0, 1, 2].map((slot) =>
      endpoint(slot, { instance: `service-${index}-${slot}-abcdefgh` }),
    ),
  }),
)

export const domainOf = (service: string): string => {
  const [environment = '', name = ''] = service.split('/')
  return `${name}.${environment}.bulkhead`
}

export const addressOf = (index: number): string => `10.231.${index >> 8}.${index & 255}`
