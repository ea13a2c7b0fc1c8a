import { once } from 'node:events'
import { request } from 'node:http'

import { unobserved, wireVersion, type ToAgentMessage } from '@bulkhead/shared'
import { test } from 'tap'
import { WebSocket } from 'ws'

import { document, facts, serve, type Served } from './serve.ts'

const apply = (served: Served, ...documents: object[]) =>
  served.call('POST', '/v1/apply', { documents, allowPending: true })

test('every route but the open ones asks for a token', async (t) => {
  await using served = await serve()
  const { body } = await served.call('GET', '/v1/openapi.json')
  const { paths } = body as { paths: Record<string, Record<string, unknown>> }
  const open = ['/healthz', '/readyz', '/v1/version', '/v1/openapi.json', '/v1/schemas/{kind}']
  let guarded = 0
  for (const [path, methods] of Object.entries(paths)) {
    for (const method of Object.keys(methods)) {
      const url = path.replaceAll(/\{[^}]+\}/g, 'x')
      const call = async (authorization?: string) =>
        (await served.app.inject({ method: method.toUpperCase() as 'GET', url, headers: authorization ? { authorization } : {} })).statusCode
      if (open.includes(path)) {
        t.not(await call(), 401, `${method} ${path} is open`)
        continue
      }
      guarded += 1
      t.equal(await call(), 401, `${method} ${path} without a token`)
      t.equal(await call('Bearer bh-admin-000000000000-x'), 401, `${method} ${path} with a wrong token`)
    }
  }
  t.ok(guarded > 25, `${guarded} guarded routes`)
})

test('tokens permit what they are for', async (t) => {
  await using served = await serve()
  const { body } = await served.call('POST', '/v1/tokens', { kind: 'join' })
  const headers = { authorization: `Bearer ${(body as { token: string }).token}` }
  for (const url of ['/v1/services', '/v1/nodes']) {
    t.equal((await served.app.inject({ url, headers })).statusCode, 403)
  }
  t.equal((await served.call('POST', '/v1/agent/join', { name: 'n1', facts: facts() })).status, 403)
  const stored = JSON.stringify([...served.state.view.tokens.values()])
  t.notMatch(stored, (body as { token: string }).token.split('-').slice(3).join('-'), 'only hashes are kept')
})

test('metrics are for administrators and for tokens made for them', async (t) => {
  await using served = await serve()
  t.equal((await served.app.inject('/metrics')).statusCode, 401)
  const minted = await served.call('POST', '/v1/tokens', { kind: 'metrics' })
  t.match(minted, { status: 200, body: { token: /^bh-metrics-/, expiresInMs: null } })
  const get = (url: string, token: string) => served.app.inject({ url, headers: { authorization: `Bearer ${token}` } })
  const { token } = minted.body as { token: string }
  for (const allowed of [token, served.admin]) {
    const answer = await get('/metrics', allowed)
    t.equal(answer.statusCode, 200)
    t.match(answer.body, /^bulkhead_revision /m)
  }
  t.equal((await get('/v1/services', token)).statusCode, 403, 'it reads nothing else')
  t.equal((await served.call('POST', '/v1/tokens', { kind: 'metrics', node: 'n1' })).status, 400)
})

test('apply is all or nothing', async (t) => {
  await using served = await serve()
  const before = served.state.view.revision
  const bad: [string, object[], number, RegExp][] = [
    ['an unknown key', [document(), document({ name: 'b', replica: 2 })], 422, /replicas/],
    ['an unknown zone', [document(), document({ name: 'b', zone: 'attic' })], 422, /attic/],
    ['a circle', [document({ dependsOn: ['b'] }), document({ name: 'b', dependsOn: ['web'] })], 422, /web/],
    ['an unknown dependency', [document({ dependsOn: ['nobody'] })], 422, /nobody/],
    ['a name twice', [document(), document()], 422, /more than once/],
    ['a zone that every object has', [document({ zone: 'constructor' })], 422, /constructor is not declared/],
    ['no time', [document({ scale: { max: 2, schedule: [{ cron: '99 * * * *', replicas: 1 }] } })], 422, /cron/],
    [
      'two exposed in one place',
      ['a', 'b'].map((name) =>
        document({ name, zone: 'presentation', ports: { http: 80 }, expose: [{ port: 'http', listen: 80 }] }),
      ),
      422,
      /default\/a is exposed on port 80 in a way that leaves no room/,
    ],
    ['exposed inside', [document({ ports: { http: 80 }, expose: [{ port: 'http', listen: 80 }] })], 422, /edge/],
  ]
  for (const [what, documents, status, message] of bad) {
    const answer = await apply(served, ...documents)
    t.equal(answer.status, status, what)
    t.match(JSON.stringify(answer.body), message, what)
  }
  t.equal((await served.call('POST', '/v1/apply', { documents: [document()] })).status, 422, 'what never fits')
  t.equal(served.state.view.revision, before, 'nothing was written')

  t.equal((await apply(served, document())).status, 200)
  const again = await apply(served, document())
  t.match(again.body, { objects: [{ action: 'unchanged', revision: 1 }] })
  const changed = await apply(served, document({ replicas: 2 }))
  t.match(changed.body, { objects: [{ action: 'update', revision: 2 }] })
})

test('undo says to which revision it goes back, and as which one', async (t) => {
  await using served = await serve()
  await apply(served, document({ replicas: 2 }))
  await apply(served, document({ replicas: 2, args: ['b'], update: { maxSurge: 2 } }))
  const path = '/v1/services/default/web'
  await served.call('POST', `${path}/scale`, { replicas: 1 })
  const { body } = await served.call('POST', `${path}/undo`)
  t.match(body, { undoneTo: 1, revision: 4, replicas: { desired: 1 } }, 'the number of replicas stays')
  t.match((await served.call('GET', path)).body, { spec: { update: { maxSurge: 1 } } }, 'the update policy is the earlier one')
})

test('rehearsals change nothing', async (t) => {
  await using served = await serve()
  await apply(served, document())
  await new Promise((resolve) => setTimeout(resolve, 50))
  const { revision } = served.state.view
  const diff = await served.call('POST', '/v1/diff', { documents: [document({ replicas: 3 })] })
  t.match(diff.body, { objects: [{ action: 'update', changes: [{ path: '/replicas', before: 1, after: 3 }] }] })
  const stop = { drain: '90s', grace: '10s' }
  const slower = await served.call('POST', '/v1/diff', { documents: [document({ stop })] })
  t.match(slower.body, { objects: [{ changes: [{ path: '/stop/drain', before: '5s', after: '90s' }] }] }, 'as people write it')
  const plan = await served.call('POST', '/v1/plan', { documents: [document({ replicas: 3 })] })
  t.equal(plan.status, 200)
  t.match(plan.body, { refused: [{ service: 'web', reason: /no node/ }] })
  t.equal(served.state.view.revision, revision)
})

test('odd requests get precise answers', async (t) => {
  await using served = await serve()
  const headers = { authorization: `Bearer ${served.admin}`, 'content-type': 'application/json' }
  const cases: [string, object, number][] = [
    ['no JSON', { method: 'POST', url: '/v1/apply', payload: '{', headers }, 400],
    ['a prototype', { method: 'POST', url: '/v1/apply', payload: '{"__proto__":{}}', headers }, 400],
    ['wrong type', { method: 'POST', url: '/v1/apply', payload: '{"documents":3}', headers }, 400],
    ['a bad path', { url: '/v1/services/%E0%A4%A', headers }, 400],
    ['no such path', { url: '/v1/nothing', headers }, 404],
    ['no such service', { url: '/v1/services/default/x', headers }, 404],
    ['a bad watch', { url: '/v1/services?watch=soon', headers }, 400],
    ['a future watch', { url: '/v1/services?watch=999999', headers }, 410],
    ['too large', { method: 'POST', url: '/v1/apply', payload: ' '.repeat(17 * 1024 * 1024), headers }, 413],
    ['hostile name', { url: `/v1/services/default/${encodeURIComponent('../../etc')}`, headers }, 404],
    ['replicas out of range', { method: 'POST', url: '/v1/services/default/web/scale', payload: '{"replicas":-1}', headers }, 400],
  ]
  for (const [what, options, status] of cases) {
    const answer = await served.app.inject(options)
    t.equal(answer.statusCode, status, what)
    t.match(answer.headers['content-type'], /problem\+json/, what)
    t.type(answer.json().code, 'string', what)
  }
})

test('If-Match', async (t) => {
  await using served = await serve()
  await apply(served, document())
  const scale = (match: string) =>
    served.app.inject({
      method: 'POST',
      url: '/v1/services/default/web/scale',
      headers: { authorization: `Bearer ${served.admin}`, 'if-match': match },
      payload: { replicas: 0 },
    })
  t.equal((await scale('"7"')).statusCode, 412)
  t.equal((await scale('"1"')).statusCode, 200)
})

/** The first events of a watch. */
async function watch({ url, admin }: Served, path: string, count: number, act: () => Promise<unknown>): Promise<string[]> {
  const ask = request(`${url}${path}`, { headers: { authorization: `Bearer ${admin}` } })
  ask.end()
  const [response] = (await once(ask, 'response')) as [NodeJS.ReadableStream]
  await act()
  let text = ''
  for await (const chunk of response) {
    text += String(chunk)
    const events = text.split('\n').filter((line) => line.startsWith('data:'))
    if (events.length >= count) {
      ask.destroy()
      return events.map((line) => line.slice(5))
    }
  }
  return []
}

test('a watch tells what changes after a list', async (t) => {
  await using served = await serve()
  const list = await served.call('GET', '/v1/services')
  const { revision } = list.body as { revision: number }
  const [first] = await watch(served, `/v1/services?watch=${revision}`, 1, () => apply(served, document()))
  t.match(JSON.parse(first ?? '{}'), { type: 'put', item: { name: 'web', revision: 1 } })
})

/** An agent of which only the wire is real. */
async function connect({ url }: Served, token: string) {
  const socket = new WebSocket(`${url.replace('http', 'ws')}/v1/agent/session`, { headers: { authorization: `Bearer ${token}` } })
  const messages: ToAgentMessage[] = []
  socket.on('message', (data) => messages.push(JSON.parse((data as Buffer).toString()) as ToAgentMessage))
  await once(socket, 'open')
  const closed = once(socket, 'close') as Promise<[number, Buffer]>
  const until = async <K extends ToAgentMessage['kind']>(kind: K): Promise<Extract<ToAgentMessage, { kind: K }>> => {
    for (let tries = 0; tries < 200; tries++) {
      const index = messages.findIndex((message) => message.kind === kind)
      if (index >= 0) return messages.splice(index, 1)[0] as Extract<ToAgentMessage, { kind: K }>
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    throw new Error(`no ${kind} came, only ${messages.map((message) => message.kind).join(', ')}`)
  }
  return { socket, closed, until, send: (message: object) => socket.send(JSON.stringify(message)) }
}

async function joined(served: Served, name: string): Promise<string> {
  const { body } = await served.call('POST', '/v1/tokens', { kind: 'join' })
  const headers = { authorization: `Bearer ${(body as { token: string }).token}` }
  const answer = await served.app.inject({ method: 'POST', url: '/v1/agent/join', headers, payload: { name, facts: facts() } })
  return answer.json<{ token: string }>().token
}

test('a session', async (t) => {
  await using served = await serve()
  const token = await joined(served, 'n1')
  const hello = { kind: 'hello', wireVersion, facts: facts(), bootId: 'b1' }
  const agent = await connect(served, token)
  agent.send(hello)
  t.match(await agent.until('welcome'), { node: 'n1' })
  agent.send({ kind: 'inventory', reports: [], unmanaged: 2 })
  agent.send({ kind: 'heartbeat', sequence: 9, engineProblem: '' })
  t.match(await agent.until('heartbeat-ack'), { sequence: 9 })
  t.match(await agent.until('assignments'), { from: null, upserts: [] })
  t.match(await agent.until('policy'), {
    policy: { zones: { application: { reaches: ['application', 'data'] } }, peers: [{ node: 'n1' }] },
  })
  t.match(await agent.until('endpoints'), { full: true })
  // What agents say of themselves is gathered for a moment.
  for (let tries = 0; tries < 200 && served.state.view.nodes.get('n1')?.liveness !== 'ready'; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  t.equal(served.state.view.nodes.get('n1')?.liveness, 'ready')

  await apply(served, document({ ports: { http: 8080 } }))
  const { upserts, from } = await agent.until('assignments')
  t.type(from, 'number', 'a delta')
  const [assignment] = upserts
  t.match(assignment, { service: 'default/web', desired: 'run', slot: 0 })
  const report = {
    instance: assignment?.instance,
    service: 'default/web',
    slot: 0,
    revision: 1,
    origin: assignment?.instance,
    predecessor: null,
    attempt: 0,
    startAtMs: 0,
    hostPorts: assignment?.hostPorts,
    observed: { ...unobserved, state: 'running', health: 'healthy', healthySinceMs: Date.now(), startedAtMs: Date.now() },
  }
  agent.send({ kind: 'status', sequence: 1, reports: [report] })
  t.match(await agent.until('status-ack'), { sequence: 1 })
  const found = await served.call('GET', '/v1/discovery/default/web?port=http')
  t.match(found.body, { endpoints: [{ node: 'n1', address: '127.0.0.1', hostPort: assignment?.hostPorts['http'] }] })

  const newer = await connect(served, token)
  newer.send(hello)
  t.equal((await agent.closed)[0], 4001, 'a newer session ends the older one')
  newer.send(hello)
  t.equal((await newer.closed)[0], 4000, 'messages out of order end a session')
  const rude = await connect(served, token)
  rude.socket.send('{"kind":"hello","wireVersion":"one"}')
  t.equal((await rude.closed)[0], 4000, 'so do messages that do not fit')
  const stranger = new WebSocket(`${served.url.replace('http', 'ws')}/v1/agent/session`, { headers: { authorization: `Bearer ${served.admin}` } })
  const [error] = (await once(stranger, 'error')) as [Error]
  t.match(error.message, /403/, 'an administrator is no agent')
})

test('an external service is discovered as any other is', async (t) => {
  await using served = await serve()
  const external = (address: string) => ({
    apiVersion: 'bulkhead/v1',
    kind: 'ExternalService',
    name: 'ledger',
    zone: 'data',
    addresses: [address],
    ports: { postgres: 5432 },
  })
  await apply(served, external('10.20.0.5'))
  const path = '/v1/discovery/default/ledger'
  const endpoint = { port: 'postgres', address: '10.20.0.5', hostPort: 5432 }
  const found = await served.call('GET', `${path}?port=postgres`)
  t.match(found, { status: 200, body: { service: 'ledger', endpoints: [endpoint] } })
  const wrong = await served.call('GET', `${path}?port=http`)
  t.match(wrong, { status: 400, body: { detail: /has no port http; its ports are postgres/ } })
  const { revision } = found.body as { revision: number }
  await apply(served, external('10.20.0.6'))
  const headers = { authorization: `Bearer ${served.admin}` }
  for (const url of [path, '/v1/endpoints']) {
    const ended = new AbortController()
    const answer = await fetch(`${served.url}${url}?watch=${revision}`, { headers, signal: ended.signal })
    let text = ''
    await t.rejects(async () => {
      const timer = setTimeout(() => ended.abort(), 3000)
      for await (const part of answer.body ?? []) {
        text += Buffer.from(part).toString()
        if (text.includes('10.20.0.6')) ended.abort()
      }
      clearTimeout(timer)
    })
    t.match(text, /10\.20\.0\.6/, `${url} tells of the change`)
  }
})

test('an agent whose clock is an hour behind', async (t) => {
  await using served = await serve()
  const hourMs = 3_600_000
  const hostNow = (): number => Date.now() - hourMs
  const agent = await connect(served, await joined(served, 'n1'))
  agent.send({ kind: 'hello', wireVersion, facts: facts(), bootId: 'b1', nowMs: hostNow() })
  await agent.until('welcome')
  agent.send({ kind: 'inventory', reports: [], unmanaged: 0 })
  agent.send({ kind: 'heartbeat', sequence: 1, engineProblem: '', nowMs: hostNow() })
  await agent.until('assignments')
  await apply(served, document())
  const [assignment] = (await agent.until('assignments')).upserts
  const { instance = '', startAtMs = 0 } = assignment ?? {}
  t.ok(Math.abs(startAtMs - hostNow()) < 5000, 'is told when to start by its own clock')
  const observed = { ...unobserved, state: 'running', health: 'healthy', healthySinceMs: hostNow() - 2000, startedAtMs: hostNow() - 3000 }
  const report = { instance, service: 'default/web', slot: 0, revision: 1, origin: instance, predecessor: null, attempt: 0, startAtMs, hostPorts: {}, observed }
  agent.send({ kind: 'status', sequence: 1, reports: [report] })
  await agent.until('status-ack')
  const { healthySinceMs, startedAtMs } = served.state.view.instances.get(instance)?.observed ?? {}
  t.ok(Math.abs(Date.now() - 2000 - (healthySinceMs ?? 0)) < 1500, 'its times are ours in the records')
  t.equal((healthySinceMs ?? 0) - (startedAtMs ?? 0), 1000)
  agent.socket.terminate()
})

test('a node whose agent is there is not confirmed dead, though its engine is', async (t) => {
  await using served = await serve()
  const agent = await connect(served, await joined(served, 'n1'))
  agent.send({ kind: 'hello', wireVersion, facts: facts(), bootId: 'b1' })
  await agent.until('welcome')
  agent.send({ kind: 'inventory', reports: [], unmanaged: 0 })
  agent.send({ kind: 'heartbeat', sequence: 1, engineProblem: 'no socket' })
  await agent.until('endpoints')
  await agent.until('heartbeat-ack')
  for (let tries = 0; tries < 100 && served.state.view.nodes.get('n1')?.liveness !== 'down'; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  const answer = await served.call('POST', '/v1/nodes/n1/confirm-dead')
  t.match(answer, { status: 409, body: { code: 'conflict', detail: /its agent is heard from.*may still run/, advice: /turn the machine off/ } })
  t.equal(served.state.view.nodes.get('n1')?.confirmedDead, false)
  agent.socket.terminate()
})
