import fc from 'fast-check'

import { validService } from '../../../packages/shared/test/spec/sources.ts'
import { anyJson, anyText, nested } from './json.ts'
import { mutated, mutatedText } from './mutate.ts'

/** A route as the server's own description has it. */
export interface Route {
  readonly method: string
  /** With `{name}` for parameters. */
  readonly path: string
}

/** What is there, so that requests do not only ask for what is not. */
export interface Known {
  readonly routes: readonly Route[]
  readonly instances: readonly string[]
  /** The administrator's comes first. */
  readonly tokens: readonly string[]
}

/** A request before it is put on the wire. */
export interface AnyRequest {
  readonly method: string
  readonly path: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | null
}

const encoded = (text: string): string => encodeURIComponent(text.toWellFormed())
const anyPart = fc.oneof(
  anyText.map(encoded),
  fc.constantFrom('%', '%zz', '%00', '..', '%2e%2e', '%2F', '*', ';', ''),
)

function partOf(name: string, { instances }: Known): fc.Arbitrary<string> {
  const known: Record<string, readonly string[]> = {
    environment: ['default', 'prod'],
    name: ['web', 'api', 'job'],
    node: ['n1', 'n2'],
    kind: ['Service', 'Zones'],
    id: instances,
  }
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom('web', ...(known[name] ?? [])) },
    { weight: 1, arbitrary: anyPart },
  )
}

const queryNames = [
  'watch',
  'environment',
  'service',
  'node',
  'all',
  'subject',
  'kind',
  'limit',
  'since',
  'port',
  'follow',
  'sinceMs',
  'tail',
  'x',
  '__proto__',
]
const queryValue = fc.oneof(
  fc.constantFrom(
    '0',
    '1',
    '-1',
    '1.5',
    '1e3',
    'true',
    'false',
    'default',
    'web',
    'Service',
    '999999999999999',
    'NaN',
  ),
  anyPart,
)
const query = fc
  .array(
    fc.tuple(
      fc.constantFrom(...queryNames),
      queryValue,
      fc.constantFrom('=', '=', '=', '', '[]=', '[a]='),
    ),
    { maxLength: 3 },
  )
  .map((pairs) =>
    pairs.length === 0
      ? ''
      : `?${pairs.map(([name, value, sign]) => `${name}${sign}${value}`).join('&')}`,
  )

const names = fc.constantFrom('web', 'api', 'job', 'web-2')
const documents = fc
  .array(fc.tuple(names, fc.constantFrom('default', 'prod'), validService), {
    minLength: 1,
    maxLength: 3,
  })
  .map((list) =>
    list.map(([name, environment, document]) => ({
      ...document,
      name,
      environment,
      image: 'demo:1',
    })),
  )
const apply = fc.record(
  { documents, prune: fc.boolean(), allowPending: fc.boolean() },
  { requiredKeys: ['documents'] },
)
const facts = fc.record({
  address: anyText,
  zones: fc.subarray(['application', 'data']),
  environments: fc.constant([]),
  labels: fc.dictionary(fc.constantFrom('disk', 'gen'), anyText, { noNullPrototype: true }),
  domain: fc.record({
    provider: fc.constant(null),
    site: fc.constant('s'),
    rack: fc.constant(null),
    host: anyText,
  }),
  capacity: fc.record({ cpuMillis: fc.integer(), memoryBytes: fc.integer() }),
  engine: fc.constant(null),
  agentVersion: anyText,
})

/** A body that the route takes, by the last part of its path. */
const bodies: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  apply,
  diff: apply,
  plan: apply,
  scale: fc.record({ replicas: fc.integer({ min: 0, max: 30 }) }),
  undo: fc.record({ to: fc.integer({ min: 1, max: 5 }) }),
  drain: fc.record({ deadlineMs: fc.integer({ min: 0, max: 1e9 }) }),
  labels: fc.record({
    set: fc.dictionary(anyText, anyText, { maxKeys: 3 }),
    remove: fc.array(anyText, { maxLength: 2 }),
  }),
  tokens: fc.record(
    { kind: fc.constant('join'), node: fc.constant('n3'), zone: fc.constant('data') },
    { requiredKeys: ['kind'] },
  ),
  exec: fc.record({ command: fc.array(anyText, { minLength: 1, maxLength: 3 }) }),
  join: fc.record({ name: fc.constantFrom('n1', 'n2', 'n3'), facts }),
}

function bodyOf(path: string): fc.Arbitrary<string | null> {
  const fitting = bodies[path.split('/').at(-1) ?? ''] ?? fc.constant({})
  const text = mutated(fitting, 2).map((value) => JSON.stringify(value))
  return fc.oneof(
    { weight: 6, arbitrary: text },
    { weight: 2, arbitrary: mutatedText(text) },
    { weight: 1, arbitrary: anyJson.map((value) => JSON.stringify(value)) },
    { weight: 1, arbitrary: anyText },
    { weight: 1, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(nested(5000, 'list'), `{"documents":${nested(5000, 'mapping')}}`),
    },
  )
}

const contentTypes = [
  'application/json',
  'application/json',
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/problem+json',
  'x',
  '',
]
const headerText = fc.constantFrom(
  '*',
  '"1"',
  '1',
  '"',
  'W/"1"',
  '0',
  '-1',
  'x'.repeat(5000),
  'é',
  '1,2',
)

function headersOf({ tokens }: Known): fc.Arbitrary<Record<string, string>> {
  const [admin = '', ...others] = tokens
  const token = fc.oneof(
    { weight: 12, arbitrary: fc.constant(admin) },
    { weight: 2, arbitrary: fc.constantFrom(...others) },
    { weight: 1, arbitrary: fc.constantFrom('', 'x', 'bh-admin-x-y', 'x'.repeat(300)) },
  )
  return fc
    .record(
      {
        authorization: token.map((text) => `Bearer ${text}`),
        'content-type': fc.constantFrom(...contentTypes),
        'if-match': headerText,
        accept: fc.constantFrom('text/event-stream', 'text/html', '*/*', 'x'),
        'accept-encoding': fc.constantFrom('gzip', 'x'),
        'content-encoding': fc.constantFrom('gzip', 'x'),
        'last-event-id': headerText,
        range: headerText,
        origin: fc.constant('http://evil'),
        cookie: headerText,
        'x-http-method-override': fc.constant('DELETE'),
        upgrade: fc.constantFrom('h2c', 'websocket', 'x'),
        expect: fc.constantFrom('100-continue', 'x'),
      },
      { requiredKeys: ['authorization', 'content-type'] },
    )
    .map(({ upgrade, ...headers }) =>
      upgrade === undefined ? headers : { ...headers, upgrade, connection: 'upgrade' },
    )
    .chain((all) => {
      const rare = Object.keys(all).filter(
        (key) => key !== 'authorization' && key !== 'content-type' && key !== 'connection',
      )
      return fc.subarray(rare, { maxLength: 1 }).map((kept) =>
        Object.fromEntries(
          Object.entries(all)
            .filter(([key]) => !rare.includes(key) || kept.includes(key))
            .filter(([key]) => key !== 'connection' || kept.includes('upgrade')),
        ),
      )
    })
}

const methods = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH', 'HEAD', 'OPTIONS', 'PROPFIND', 'QUERY']

/** Requests at the server's routes, most of them right in most of their parts. */
export function anyRequest(known: Known): fc.Arbitrary<AnyRequest> {
  const target = fc.constantFrom(...known.routes).chain(({ method, path }) => {
    const parts = path.split('/').map((part) => {
      const name = /^\{(.*)\}$/.exec(part)?.[1]
      return name === undefined ? fc.constant(part) : partOf(name, known)
    })
    return fc.record({
      method: fc.oneof(
        { weight: 9, arbitrary: fc.constant(method) },
        { weight: 1, arbitrary: fc.constantFrom(...methods) },
      ),
      path: fc.tuple(...parts).map((list) => list.join('/')),
      body: bodyOf(path),
    })
  })
  const odd = fc.record({
    method: fc.constantFrom(...methods),
    path: fc.array(anyPart, { maxLength: 5 }).map((parts) => `/${parts.join('/')}`),
    body: fc.constant(null),
  })
  return fc
    .tuple(
      fc.oneof({ weight: 15, arbitrary: target }, { weight: 1, arbitrary: odd }),
      query,
      headersOf(known),
    )
    .map(([{ method, path, body }, query, headers]) => ({
      method,
      path: `${path}${query}`,
      headers,
      body: method === 'GET' || method === 'HEAD' ? null : body,
    }))
}
