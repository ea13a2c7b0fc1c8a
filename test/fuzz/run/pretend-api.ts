import { validateHeaderValue } from 'node:http'

import type { Transport, TransportResponse } from '@bulkhead/shared/client'

import * as views from '../../../packages/cli/test/support/fixtures.ts'

/** How the control plane answers during one command. */
export type Mood = 'well' | 'refusing' | 'garbled' | 'absent'

const change = {
  kind: 'Service',
  name: 'web',
  environment: 'prod',
  action: 'update',
  revision: 4,
  warnings: ['w'],
  changes: [{ path: '/replicas', before: 1, after: 2 }],
}
const step = {
  service: 'web',
  environment: 'prod',
  action: 'place',
  slot: 0,
  instance: null,
  node: 'n1',
  reason: 'r',
}
const explained = {
  subject: 'prod/web',
  summary: 's',
  nodes: [{ node: 'n1', verdict: 'fits', reasons: [], score: 1 }],
  history: [views.event()],
}
const figures = { cpuMillis: 1, memoryBytes: 2, pids: 3 }

const wellKnown: readonly (readonly [RegExp, unknown])[] = [
  [/^\/v1\/services$/, views.list(views.service()).json],
  [
    /^\/v1\/instances$/,
    views.list(views.instance(), views.instance({ id: 'web-1-abcdefgi', slot: 1, node: null }))
      .json,
  ],
  [/^\/v1\/nodes$/, views.list(views.node(), views.node({ name: 'n2', engine: null })).json],
  [/^\/v1\/rollouts$/, views.list(views.rollout()).json],
  [/^\/v1\/events$/, views.list(views.event()).json],
  [/^\/v1\/zones$/, views.list(views.zone()).json],
  [/^\/v1\/endpoints$/, views.list(views.endpoints()).json],
  [/\/revisions$/, views.list(views.revision()).json],
  [/^\/v1\/discovery\//, views.endpoints()],
  [/^\/v1\/explain\//, explained],
  [/^\/v1\/services\//, views.service()],
  [/^\/v1\/nodes\//, views.node()],
  [/^\/v1\/top\/nodes$/, { items: [{ name: 'n1', ...figures }] }],
  [
    /^\/v1\/top\/instances$/,
    {
      items: [
        { id: 'web-0-abcdefgh', node: 'n1', service: 'web', environment: 'prod', ...figures },
      ],
    },
  ],
  [/^\/v1\/(apply|diff)$/, { revision: 5, objects: [change] }],
  [/^\/v1\/plan$/, { revision: 5, objects: [change], steps: [step], refused: [], rollouts: [] }],
  [/^\/v1\/tokens$/, { token: 'bh-join-x', expiresInMs: 1000 }],
  [/^\/v1\/version$/, { version: '0.1.0', cluster: 'c' }],
  [/^\/v1\/instances\/[^/]+$/, views.instance()],
]

async function* body(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text)
}

const answer = (status: number, contentType: string, text: string): TransportResponse => ({
  status,
  contentType,
  body: body(text),
})

const lines = [
  { channel: 'stdout', data: 'eA==' },
  { end: true, error: '', exitCode: 0 },
]
const garbage = [
  '',
  'null',
  '[]',
  '{}',
  '<html>',
  '{"items":[]}',
  '{"items":null,"revision":1}',
  '"x"',
  '{"items":[{}]}',
  '{',
  '\u0000',
  '{"revision":1,"items":[null]}',
] as const

function refusal(salt: number): TransportResponse {
  const codes = [
    ['not-found', 404],
    ['conflict', 409],
    ['bad-spec', 422],
    ['internal', 500],
    ['store-failed', 503],
  ] as const
  const [code, status] = codes[salt % codes.length] ?? codes[0]
  const problems = [
    { document: salt % 3, path: '/replicas/0', message: 'it is\u001b[31m wrong\nindeed' },
  ]
  const problem = {
    code,
    status,
    title: 't',
    detail: 'no\nway \u001b[2J',
    advice: 'none',
    problems,
  }
  return answer(status, 'application/problem+json', JSON.stringify(problem))
}

/** A control plane as commands see it, all of it made up. */
export function pretendApi(mood: Mood, salt: number): Transport {
  return async ({ method, url, headers }) => {
    if (mood === 'absent') throw Object.assign(new Error('connect'), { code: 'ECONNREFUSED' })
    // What Node.js refuses to send is refused here as well.
    for (const [name, value] of Object.entries(headers)) validateHeaderValue(name, value)
    const { pathname } = new URL(url)
    if (mood === 'refusing') return refusal(salt)
    if (mood === 'garbled')
      return answer(200, 'application/json', garbage[salt % garbage.length] ?? '')
    if (method === 'DELETE') return answer(200, 'application/json', '{"revision":5}')
    if (headers['accept'] === 'text/event-stream') {
      return answer(200, 'text/event-stream', ': watching\n\n')
    }
    if (/\/(logs|exec)$/.test(pathname)) {
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('')
      return answer(200, 'application/x-ndjson', text)
    }
    const found = wellKnown.find(([pattern]) => pattern.test(pathname))
    return found ? answer(200, 'application/json', JSON.stringify(found[1])) : refusal(0)
  }
}
