import { test } from 'tap'

import { document, serve } from './serve.ts'

interface Problem {
  readonly code: string
  readonly detail: string
}

test('query parameters are taken exactly or refused', async (t) => {
  await using served = await serve()
  await served.call('POST', '/v1/apply', {
    documents: [document({ ports: { http: 80, admin: 81 } })],
    allowPending: true,
  })
  const cases: [string, RegExp][] = [
    ['/v1/events?limit=soon', /limit=soon is not a whole number from 1 to 10000/],
    ['/v1/events?limit=0', /limit=0 is not a whole number from 1/],
    ['/v1/events?limit=10001', /limit=10001 is not/],
    ['/v1/events?limit=', /limit= is not/],
    ['/v1/events?limit=1e2', /limit=1e2 is not/],
    ['/v1/events?limit=1&limit=2', /limit was given more than once/],
    ['/v1/events?since=yesterday', /since=yesterday is not a revision/],
    ['/v1/events?since=-1', /since=-1 is not a revision/],
    ['/v1/events?kind=services', /kind=services is not one of Service, Instance/],
    ['/v1/services?watch=', /watch= is not a revision/],
    ['/v1/services?watch=1.5', /watch=1.5 is not a revision/],
    ['/v1/services?environment=', /environment= is not a name/],
    ['/v1/services?env=prod', /no query parameter env.*environment, watch/],
    ['/v1/services?enviroment=prod', /no query parameter enviroment.*did you mean "environment"\?/],
    ['/v1/instances?all=yes', /all=yes is not one of true, false/],
    ['/v1/instances?node=%00', /node=.* is not a name/],
    ['/v1/nodes?environment=prod', /no query parameter environment.*watch/],
    ['/v1/top/nodes?x=1', /no query parameter x.*takes none/],
    ['/v1/discovery/default/web?port=htpp', /web has no port htpp; its ports are http, admin/],
    ['/v1/discovery/default/web?watch=x', /watch=x is not a revision/],
    ['/v1/instances/x/logs?follow=1', /follow=1 is not one of true, false/],
    ['/v1/instances/x/logs?tail=-5', /tail=-5 is not a whole number/],
    ['/v1/instances/x/logs?sinceMs=1h', /sinceMs=1h is not/],
  ]
  for (const [url, detail] of cases) {
    const { status, body } = await served.call('GET', url)
    t.equal(status, 400, url)
    t.match((body as Problem).detail, detail, url)
    t.equal((body as Problem).code, 'bad-request', url)
  }
  const good = [
    '/v1/events?limit=10000&since=0&kind=Service&subject=default/web',
    '/v1/instances?all=true&service=web&environment=default&node=n1',
    '/v1/instances?all=false',
    '/v1/rollouts?service=web&environment=default',
    '/v1/discovery/default/web?port=http',
    '/readyz?from=balancer',
  ]
  for (const url of good) t.equal((await served.call('GET', url)).status, 200, url)
})

test('bodies are taken exactly or refused', async (t) => {
  await using served = await serve()
  await served.call('POST', '/v1/apply', { documents: [document()], allowPending: true })
  const { revision } = served.state.view.services.get('default/web') ?? {}
  const scale = '/v1/services/default/web/scale'
  const cases: [string, unknown, RegExp][] = [
    [scale, { replicas: '3' }, /replicas must be integer, not "3"/],
    [scale, { replicas: 2.5 }, /replicas must be integer, not 2.5/],
    [scale, { replicas: true }, /replicas must be integer, not true/],
    [scale, { replicas: null }, /replicas must be integer, not nothing/],
    [scale, { replicas: 10_001 }, /replicas must be <= 10000, not 10001/],
    [scale, {}, /must have required property 'replicas'/],
    [scale, { replicas: 2, force: true }, /no key force.*replicas/],
    [scale, { replica: 2, replicas: 2 }, /no key replica.*did you mean "replicas"/],
    [scale, [], /must be object/],
    ['/v1/services/default/web/restart', { when: 'now' }, /no key when.*takes none/],
    ['/v1/apply', { documents: [], prune: 'false' }, /prune must be boolean, not "false"/],
    ['/v1/apply', { documents: {} }, /documents must be array/],
    ['/v1/nodes/n1/drain', { deadlineMs: '5' }, /deadlineMs must be integer, not "5"/],
    ['/v1/nodes/n1/labels', { set: { a: 1 } }, /set\/a must be string, not 1/],
    ['/v1/nodes/n1/labels', { set: { 'a b': 'x' } }, /a b/],
    ['/v1/backup', { to: '/etc/passwd' }, /no key to/],
    ['/v1/tokens', { kind: 'admin' }, /kind must be join, metrics or discovery, not "admin"/],
  ]
  for (const [url, sent, detail] of cases) {
    const { status, body } = await served.call('POST', url, sent)
    t.equal(status, 400, `${url} ${JSON.stringify(sent)}`)
    t.match((body as Problem).detail, detail)
    t.equal((body as Problem).code, 'bad-request')
  }
  t.equal(served.state.view.services.get('default/web')?.revision, revision, 'nothing was changed')
  t.equal(
    (await served.call('POST', '/v1/services/default/web/restart')).status,
    200,
    'no body is as good as an empty one',
  )
  t.equal((await served.call('POST', '/v1/services/default/web/restart', {})).status, 200)
})
