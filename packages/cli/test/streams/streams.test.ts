import t from 'tap'

import { type Answers, eventStream, lineStream } from '../support/fake-server.ts'
import * as make from '../support/fixtures.ts'
import { runCli } from '../support/run-cli.ts'

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const out = (text: string) => ({ channel: 'stdout', data: base64(text) })
const err = (text: string) => ({ channel: 'stderr', data: base64(text) })
const end = (more: object = {}) => ({ end: true, error: '', ...more })

const two = make.list(
  make.instance({ id: 'web-1-bcdefghi', slot: 1 }),
  make.instance(),
  make.instance({ id: 'web-2-cdefghij', slot: 2, state: 'pulling' }),
)
const answers: Answers = {
  'GET /v1/services/prod/web': { json: make.service() },
  'GET /v1/services': make.list(),
  'GET /v1/instances': two,
  'GET /v1/instances/web-0-abcdefgh': { json: make.instance() },
  'GET /v1/instances/web-0-abcdefgh/logs': lineStream([
    out('a\nb'),
    err('warn\n'),
    out('c\n'),
    end(),
  ]),
  'GET /v1/instances/web-1-bcdefghi/logs': lineStream([out('one'), end()]),
  'POST /v1/instances/web-0-abcdefgh/exec': lineStream([
    out('hi\n'),
    err('oops\n'),
    end({ exitCode: 7 }),
  ]),
}

t.test('logs of an instance are what it printed', async (t) => {
  const line = ['logs', 'web-0-abcdefgh', '--tail', '10', '--since', '5m']
  const { stdout, stderr, exitCode, urls } = await runCli(line, { answers })
  t.equal(stdout, 'a\nbc\n')
  t.equal(stderr, 'warn\n')
  t.equal(exitCode, 0)
  const since = Date.parse('2026-03-01T11:55:00Z')
  t.equal(urls.at(-1), `GET /v1/instances/web-0-abcdefgh/logs?sinceMs=${since}&tail=10`)
})

t.test('logs of a service have the instance before each line', async (t) => {
  const { stdout, stderr } = await runCli(['logs', 'web.prod'], { answers })
  t.equal(stdout, 'web-0-abcdefgh a\nweb-0-abcdefgh bc\nweb-1-bcdefghi one\n')
  t.equal(stderr, 'web-0-abcdefgh warn\n')
})

t.test('logs of one instance that cannot be read are a warning among several', async (t) => {
  const { stdout, stderr, exitCode } = await runCli(['logs', 'web.prod'], {
    answers: {
      ...answers,
      'GET /v1/instances/web-0-abcdefgh/logs': {
        problem: 'agent-unreachable',
        detail: 'node n1 is not connected',
      },
    },
  })
  t.equal(stderr, 'warning: node n1 is not connected\n')
  t.equal(stdout, 'web-1-bcdefghi one\n')
  t.equal(exitCode, 0)
})

t.test('logs -f follows instances that come later', async (t) => {
  const started = make.instance({ id: 'web-2-cdefghij', slot: 2 })
  const { stdout, exitCode, urls } = await runCli(['logs', '-f', 'web.prod', '--tail', '1'], {
    answers: {
      ...answers,
      'GET /v1/instances?environment=prod&service=web&watch=7': eventStream([
        { revision: 8, type: 'put', item: started },
        { revision: 9, type: 'put', item: started },
      ]),
      'GET /v1/instances/web-2-cdefghij/logs': lineStream([out('late\n'), end()]),
    },
    interruptAt: 'late',
  })
  t.equal(exitCode, 130)
  t.match(stdout, 'web-2-cdefghij late\n')
  t.ok(urls.includes('GET /v1/instances/web-0-abcdefgh/logs?follow=true&tail=1'))
  t.equal(
    urls.filter((url) => url === 'GET /v1/instances/web-2-cdefghij/logs?follow=true').length,
    1,
  )
})

t.test('logs while an instance waits to be started again are those of the one that failed', async (t) => {
  const waits = make.instance({
    id: 'web-0-bcdefghi',
    state: 'created',
    attempt: 3,
    predecessor: 'web-0-abcdefgh',
  })
  const crashing: Answers = {
    ...answers,
    'GET /v1/instances': make.list(waits),
    'GET /v1/instances/web-0-bcdefghi': { json: waits },
    'GET /v1/instances/web-0-bcdefghi/logs': lineStream([end()]),
  }
  for (const name of ['web.prod', 'web-0']) {
    const { stdout, exitCode } = await runCli(['logs', name], { answers: crashing })
    t.equal(stdout, 'a\nbc\n', name)
    t.equal(exitCode, 0)
  }
  const itself = await runCli(['logs', 'web-0-bcdefghi'], { answers: crashing })
  t.equal(itself.stdout, '', 'an id is that instance and no other')
})

t.test('logs of nothing', async (t) => {
  const none = await runCli(['logs', 'web.prod'], {
    answers: { ...answers, 'GET /v1/instances': make.list(make.instance({ state: 'pulling' })) },
  })
  t.equal(
    none.stderr,
    'error: logs of web.prod: no instance has run yet; see bulkhead explain web.prod\n',
  )
  const unknown = await runCli(['logs', 'nope'], { answers })
  t.match(unknown.stderr, 'error: logs: there is no service or instance nope;')
  t.equal(unknown.exitCode, 2)
})

t.test('exec passes on what is printed and the exit code', async (t) => {
  const line = ['exec', 'web-0-abcdefgh', '--', 'sh', '-c', 'exit 7', '--context']
  const { stdout, stderr, exitCode, requests } = await runCli(line, { answers })
  t.equal(stdout, 'hi\n')
  t.equal(stderr, 'oops\n')
  t.equal(exitCode, 7)
  t.strictSame(requests.at(-1)?.body, { command: ['sh', '-c', 'exit 7', '--context'] })
})

t.test('exec that fails', async (t) => {
  const failing = (answer: Answers[string]): Answers => ({
    ...answers,
    'POST /v1/instances/web-0-abcdefgh/exec': answer,
  })
  const line = ['exec', 'web-0-abcdefgh', '--', 'nope']
  const refused = await runCli(line, {
    answers: failing(lineStream([end({ error: 'no such program' })])),
  })
  t.equal(refused.stderr, 'error: exec in web-0-abcdefgh: no such program\n')
  t.equal(refused.exitCode, 1)
  const cut = await runCli(line, { answers: failing(lineStream([out('hi')])) })
  t.match(cut.stderr, 'error: exec in web-0-abcdefgh: the stream ended in the middle;')
  t.equal(cut.exitCode, 4)
})
