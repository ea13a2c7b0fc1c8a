import type { EventView } from '@bulkhead/shared'
import t from 'tap'

import { environmentFilter } from '../../src/events/environment-filter.ts'
import * as make from '../support/fixtures.ts'
import { runCli } from '../support/run-cli.ts'

const known = {
  services: [
    { environment: 'prod', name: 'web' },
    { environment: 'test', name: 'web' },
    { environment: 'test', name: 'only-test' },
  ],
  instances: [
    { environment: 'prod', id: 'web-0-aaaaaaaa' },
    { environment: 'test', id: 'web-0-bbbbbbbb' },
  ],
}

const cases: readonly (readonly [EventView['kind'], subject: string, wanted: boolean])[] = [
  ['Service', 'prod/web', true],
  ['Service', 'test/web', false],
  ['Rollout', 'prod/web@3', true],
  ['Rollout', 'production/web@3', false],
  ['Instance', 'web-0-aaaaaaaa', true],
  ['Instance', 'web-0-bbbbbbbb', false],
  ['Instance', 'web-1-cccccccc', true],
  ['Instance', 'only-test-0-dddddddd', false],
  ['Instance', 'later-0-eeeeeeee', false],
  ['Service', 'prod/later', true],
  ['Instance', 'later-0-eeeeeeee', true],
  ['Node', 'n1', false],
  ['Cluster', 'prod', false],
]

t.test('which events are of an environment', async (t) => {
  const isWanted = environmentFilter('prod', known)
  for (const [kind, subject, wanted] of cases) {
    t.equal(isWanted(make.event({ kind, subject })), wanted, `${kind} ${subject}`)
  }
})

t.test('events -e, the newest of them', async (t) => {
  const { stdout, urls } = await runCli(['events', '-e', 'prod', '--limit', '1'], {
    answers: {
      'GET /v1/services': make.list(make.service()),
      'GET /v1/instances': make.list(),
      'GET /v1/events': make.list(
        make.event({ action: 'created' }),
        make.event({ revision: 6, action: 'applied' }),
        make.event({ revision: 7, subject: 'test/web' }),
      ),
    },
  })
  t.match(stdout, /^AGE.*\n\S+ +prod\/web +applied.*\n$/)
  t.ok(urls.includes('GET /v1/events?limit=1000'))
})
