import {
  canonicalHash,
  ipFamily,
  serviceAddress,
  serviceAddress6,
  unusedIndexes,
} from '@bulkhead/shared'

import type { Backend, Frontend, ProxyConfig, Route, Server } from './config.ts'

/** What a machine sets for HAProxy's process. */
export interface ProcessSettings {
  /** Null: the process keeps the account that it is started with. */
  readonly account: { readonly user: string; readonly group: string; readonly root: string } | null
  readonly threads: number
}

/** Two for each connection, fewer where the machine's limit is lower; what comes beyond waits in the kernel. */
const maxDescriptors = 40_000
/** A process that was replaced lets its connections end for so long. */
const longestEnd = '12h'

/** The proxy comes from this address when it passes something on to itself. */
const ownIndex = unusedIndexes.last

/** Of certificates, in the proxy's directory. */
export const certificateDirectory = 'certificates'
/** Names of environments and secrets have no dots. */
export const certificateFile = (secret: string): string =>
  `${certificateDirectory}/${secret.replace('/', '.')}.pem`

/** The other way round, from the name of a file; null when it is none of a secret. */
export function secretOfFile(name: string): string | null {
  const found = /^([^.]+)\.([^.]+)\.pem$/.exec(name)
  return found ? `${found[1]}/${found[2]}` : null
}

/** Files that the configuration names, relative to the proxy's directory. */
export function certificateLists(config: ProxyConfig): ReadonlyMap<string, string> {
  const lists = new Map<string, string>()
  for (const { name, tls } of config.frontends) {
    if (tls === null) continue
    const lines = tls.map(({ secret, hosts }) => [certificateFile(secret), ...hosts].join(' '))
    lists.set(listFile(name), `${lines.join('\n')}\n`)
  }
  return lists
}

const listFile = (frontend: string): string => `${frontend}.crt-list`

const hostOf = (address: string): string => (ipFamily(address) === 6 ? `[${address}]` : address)
export const bindOf = ({ address, port }: Frontend): string => `${hostOf(address)}:${port}`

/**
 * A value that changes with everything that a running HAProxy cannot be told: it names its process, so that what a
 * process goes by can be read from it.
 */
export function structureOf(config: ProxyConfig, settings: ProcessSettings): string {
  const bare = { ...config, backends: config.backends.map((all) => ({ ...all, servers: [] })) }
  return `bulkhead-${canonicalHash(body(bare, settings))}`
}

/** HAProxy's configuration file. */
export const configText = (config: ProxyConfig, settings: ProcessSettings): string =>
  body(config, settings).replace(
    '\nglobal\n',
    `\nglobal\n  node ${structureOf(config, settings)}\n`,
  )

function body(config: ProxyConfig, settings: ProcessSettings): string {
  const parts = [
    ['# Written by the agent; changes are lost.'],
    globalSection(settings),
    defaultsSection,
    ...relays(config),
    ...(config.frontends.length === 0 ? [idleSection] : []),
    ...config.frontends.map((frontend) => frontendSection(frontend, config)),
    ...config.backends.map(backendSection),
    ...(config.frontends.some(isPartial) ? [nowhereSection] : []),
  ]
  return parts.map((lines) => `${lines.join('\n  ')}\n`).join('\n')
}

/** HAProxy does not run without anything to listen at, and has to run where there is nothing to offer yet. */
const idleSection = ['frontend idle', 'mode http', 'bind unix@idle.sock', 'http-request deny']

function globalSection({ account, threads }: ProcessSettings): string[] {
  const identity = account
    ? [`user ${account.user}`, `group ${account.group}`, `chroot ${account.root}`]
    : []
  return [
    'global',
    `fd-hard-limit ${maxDescriptors}`,
    `nbthread ${threads}`,
    `hard-stop-after ${longestEnd}`,
    // Two proxies at one address would each get a share of its connections.
    'noreuseport',
    'no strict-limits',
    'ssl-default-bind-options ssl-min-ver TLSv1.2 no-tls-tickets',
    ...identity,
  ]
}

const defaultsSection = [
  'defaults',
  'timeout connect 2s',
  'timeout client 1h',
  'timeout server 1h',
  'timeout http-request 30s',
  'timeout http-keep-alive 75s',
  'timeout tunnel 24h',
  'timeout client-fin 30s',
  'timeout server-fin 30s',
  'option clitcpka',
  'option srvtcpka',
  'option idle-close-on-response',
  'option redispatch 1',
  'retries 3',
]

/** Answers requests to a host or path that nobody exposes; the name is no service's, for it has no dot. */
const nowhere = 'nowhere'
const nowhereSection = [
  `backend ${nowhere}`,
  'mode http',
  `http-request return status 404 content-type text/plain string "nothing is exposed here\\n"`,
]

type Family = 4 | 6
const familyOf = (frontend: Frontend): Family => ipFamily(frontend.address) ?? 4
const relayName = (family: Family, isTls: boolean): string => `relay${family}${isTls ? '.tls' : ''}`

function ownAddress(
  { services, services6 }: Pick<ProxyConfig, 'services' | 'services6'>,
  family: Family,
): string | null {
  if (family === 4) return serviceAddress(services, ownIndex)
  return services6 === null ? null : serviceAddress6(services6, services, ownIndex)
}

/**
 * Requests that come over a connection of a process that is being replaced are passed on to the one that replaces it,
 * at the address that the client had connected to: only that one is told of changes. The client is asked to connect
 * anew.
 */
function relays(config: ProxyConfig): string[][] {
  const families = [4, 6] as const
  return families.flatMap((family) => {
    const own = ownAddress(config, family)
    if (own === null) return []
    const [there, here] = family === 4 ? ['0.0.0.0', own] : ['[::]:0', `[${own}]`]
    const server = `server self ${there} source ${here} send-proxy-v2`
    const tls = ' ssl verify none sni ssl_fc_sni'
    return [
      [`backend ${relayName(family, false)}`, 'mode http', 'http-reuse never', server],
      [`backend ${relayName(family, true)}`, 'mode http', 'http-reuse never', `${server}${tls}`],
    ]
  })
}

/**
 * A network that is local makes its addresses one's own in IPv4 only. HAProxy takes over sockets of IPv6 from the
 * process before it only when they are `v6only`; else it would have that one pause, and all clients wait.
 */
const options6 = (isEdge: boolean): string => (isEdge ? ' v6only' : ' v6only transparent')

const isPartial = ({ mode, backend }: Frontend): boolean => mode === 'http' && backend === null

function frontendSection(frontend: Frontend, config: ProxyConfig): string[] {
  const { name, mode, tls, isEdge, backend } = frontend
  const lines = [`frontend ${name}`, `mode ${mode}`]
  if (mode === 'tcp') lines.push('timeout client 24h')
  for (const { secret, digest } of tls ?? []) lines.push(`# ${secret} ${digest}`)
  const alpn = mode === 'http' ? ' alpn h2,http/1.1' : ''
  const secure = tls === null ? '' : ` ssl crt-list ${listFile(name)}${alpn}`
  const family = familyOf(frontend)
  const foreign = family === 6 ? options6(isEdge) : ''
  lines.push(`bind ${bindOf(frontend)}${foreign}${secure}`)
  const own = ownAddress(config, family)
  if (mode === 'http' && own !== null) {
    lines.push(`tcp-request connection expect-proxy layer4 if { src ${own} }`)
    if (isEdge) lines.push(...edgeRules)
    lines.push(`use_backend ${relayName(family, tls !== null)} if { stopping }`)
  } else if (isEdge && mode === 'http') lines.push(...edgeRules)
  lines.push(...frontend.routes.map(routeRule))
  if (backend !== null) lines.push(`default_backend ${backend}`)
  else if (isPartial(frontend)) lines.push(`default_backend ${nowhere}`)
  return lines
}

/** Whoever is outside cannot speak for others. A request that was relayed has the headers that were made for it. */
const edgeRules = [
  'http-request del-header X-Forwarded-For',
  'http-request del-header Forwarded',
  'http-request set-header X-Forwarded-Proto https if { ssl_fc }',
  'http-request set-header X-Forwarded-Proto http unless { ssl_fc }',
]

function routeRule({ host, path, backend }: Route): string {
  const ofHost = host === null ? '' : ` { req.hdr(host),field(1,:),lower -m str ${host} }`
  const prefix = path.replace(/\/+$/, '')
  if (prefix === '') return `use_backend ${backend}${ofHost === '' ? '' : ` if${ofHost}`}`
  const exact = `${ofHost} { path -m str ${quoted(prefix)} }`
  const below = `${ofHost} { path -m beg ${quoted(`${prefix}/`)} }`
  return `use_backend ${backend} if${exact} or${below}`
}

/** As one word of a configuration file, whatever is in it. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

function backendSection(backend: Backend): string[] {
  const { name, mode, clientAddress, servers } = backend
  const lines = [`backend ${name}`, `mode ${mode}`, 'balance roundrobin']
  if (mode === 'http') {
    lines.push(
      'http-reuse safe',
      'retry-on conn-failure empty-response',
      // What may have reached an instance is sent again only where that changes nothing.
      'http-request disable-l7-retry unless { method GET HEAD OPTIONS }',
    )
    if (clientAddress === 'header') lines.push('option forwardfor')
  } else lines.push('timeout server 24h')
  return [...lines, ...servers.map((server) => `server ${serverText(backend, server)}`)]
}

/** Name, address and settings of a server, as in a configuration file and in `add server`. */
export function serverText({ mode, clientAddress }: Backend, server: Server): string {
  const { name, address, port, weight } = server
  const settings = [`${name} ${hostOf(address)}:${port}`, `weight ${weight}`]
  if (clientAddress === 'proxy') settings.push('send-proxy-v2')
  if (mode === 'http') settings.push('pool-purge-delay 200ms')
  return settings.join(' ')
}
