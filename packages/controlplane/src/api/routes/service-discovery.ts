import type { FastifyInstance } from 'fastify'

import { envoyEndpoints } from '../../discovery/core/formats/envoy.ts'
import { hostsList } from '../../discovery/core/formats/hosts.ts'
import { type Offer, offersOf, type Wanted } from '../../discovery/core/formats/offered.ts'
import { prometheusTargets } from '../../discovery/core/formats/prometheus.ts'
import { traefikConfiguration } from '../../discovery/core/formats/traefik.ts'
import type { ApiDeps } from '../deps.ts'
import { nameParameter, querySchema } from '../query.ts'

const querystring = querySchema({
  environment: nameParameter,
  zone: nameParameter,
  service: nameParameter,
  port: nameParameter,
})
const tags = ['discovery']
const map = { type: 'object', additionalProperties: true } as const

const targetGroups = {
  type: 'array',
  items: {
    type: 'object',
    properties: {
      targets: { type: 'array', items: { type: 'string' } },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
    },
  },
}

const resourceNames = {
  type: 'array',
  maxItems: 10_000,
  items: { type: 'string', maxLength: 300 },
}

const discoveryRequest = {
  type: 'object',
  // Whatever else Envoy says of itself.
  additionalProperties: true,
  // The JSON of a protocol buffer may have its names as they are written there, as Envoy does, or in camel case.
  properties: {
    version_info: { type: 'string' },
    versionInfo: { type: 'string' },
    type_url: { type: 'string' },
    resource_names: resourceNames,
    resourceNames,
  },
}

const discoveryResponse = {
  type: 'object',
  properties: {
    version_info: { type: 'string' },
    type_url: { type: 'string' },
    resources: { type: 'array', items: map },
  },
}

interface DiscoveryRequest {
  readonly version_info?: string
  readonly versionInfo?: string
  readonly resource_names?: readonly string[]
  readonly resourceNames?: readonly string[]
}

const asked = (body: DiscoveryRequest) => ({
  names: body.resource_names ?? body.resourceNames ?? [],
  version: body.version_info ?? body.versionInfo,
})

/** Endpoints in the forms in which programs that people already run ask for them. */
export function serviceDiscoveryRoutes(app: FastifyInstance, { state, tables }: ApiDeps): void {
  const offers = (wanted: Wanted): Promise<readonly Offer[]> =>
    state.read(() => offersOf(tables.all(), wanted))
  const discover = { permission: 'discover' as const }

  app.get<{ Querystring: Wanted }>(
    '/v1/sd/prometheus',
    {
      config: { permission: 'targets' },
      schema: {
        tags,
        summary: 'Targets, as http_sd_configs of Prometheus reads them',
        querystring,
        response: { 200: targetGroups },
      },
    },
    async ({ query }) => prometheusTargets(await offers(query)),
  )
  app.get<{ Querystring: Wanted }>(
    '/v1/sd/traefik',
    {
      config: discover,
      schema: {
        tags,
        summary: 'Dynamic configuration, as the HTTP provider of Traefik reads it',
        querystring,
        response: { 200: map },
      },
    },
    ({ query }) =>
      state.read(() => traefikConfiguration(offersOf(tables.all(), query), tables.all())),
  )
  app.get<{ Querystring: Wanted }>(
    '/v1/sd/hosts',
    {
      config: discover,
      schema: {
        tags,
        summary: 'Instances as lines of a hosts file',
        querystring,
        produces: ['text/plain'],
        response: { 200: { type: 'string' } },
      },
    },
    async ({ query }, reply) =>
      reply.type('text/plain; charset=utf-8').send(hostsList(await offers(query))),
  )
  app.post<{ Body: DiscoveryRequest }>(
    // Envoy's own path, which it does not let anybody choose. Two colons are one.
    '/v3/discovery::endpoints',
    {
      config: discover,
      schema: {
        tags,
        summary:
          'Endpoint discovery of Envoy over REST (version 3); clusters are ENVIRONMENT/SERVICE/PORT',
        body: discoveryRequest,
        response: {
          200: discoveryResponse,
          304: { type: 'null', description: 'nothing has changed' },
        },
      },
    },
    async ({ body }, reply) => {
      const { names, version } = asked(body)
      const answer = envoyEndpoints(await offers({}), names)
      return answer.version_info === version ? reply.code(304).send() : answer
    },
  )
}
