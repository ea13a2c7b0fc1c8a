import { hostPort } from './places.ts'

/** `presentation`: the zones that it reaches; `more`: what else is said of application, such as `, egress: [ … ]`. */
export const zonesDocument = (presentation: string, more = ''): string => `
apiVersion: bulkhead/v1
kind: Zones
zones:
  presentation: { edge: true, reaches: [${presentation}] }
  application: { reaches: [data]${more} }
  data: {}
`

/** A service at an address outside the cluster. */
export const external = (address: string): string => `
apiVersion: bulkhead/v1
kind: ExternalService
name: legacy
zone: application
addresses: [ ${address} ]
ports: { http: ${hostPort} }
`
