import type { RolloutView, ServiceView } from '@bulkhead/shared'
import t from 'tap'

import { judge, type Target } from '../../src/wait/judge.ts'
import { rollout, service } from '../support/fixtures.ts'

const target: Target = { environment: 'prod', name: 'web', revision: 3 }
const gone: Target = { ...target, revision: null }
const counts = (desired: number, running: number, healthy: number, updated: number) => ({
  replicas: { desired, running, healthy, updated },
})

interface Case {
  readonly name: string
  readonly service: ServiceView | undefined
  readonly rollouts?: readonly RolloutView[]
  readonly target?: Target
  readonly expected: object
}

const cases: readonly Case[] = [
  {
    name: 'converged',
    service: service(),
    expected: { verdict: 'done', status: 'converged', updated: 3, desired: 3 },
  },
  {
    name: 'converged at a later revision',
    service: service({ revision: 9 }),
    expected: { verdict: 'done' },
  },
  {
    name: 'no replicas are wanted',
    service: service(counts(0, 0, 0, 0)),
    expected: { verdict: 'done' },
  },
  {
    name: 'the status is older than the change: none is updated',
    service: service(counts(3, 3, 3, 0)),
    expected: { verdict: 'waiting', status: 'progressing', reason: '' },
  },
  {
    name: 'the status is older than the change: scaled down',
    service: service(counts(1, 3, 3, 3)),
    expected: { verdict: 'waiting' },
  },
  {
    name: 'the list is older than the change',
    service: service({ revision: 2 }),
    expected: { verdict: 'waiting', updated: 0, revision: 3 },
  },
  {
    name: 'progressing',
    service: service({ status: 'progressing', reason: 'pulling', ...counts(3, 2, 1, 1) }),
    rollouts: [rollout({ phase: 'progressing', endedAt: null })],
    expected: { verdict: 'waiting', status: 'progressing', reason: 'pulling', updated: 1 },
  },
  {
    name: 'what is healthy after a rollback is so at the revision that it made',
    service: service({ revision: 4, status: 'progressing', ...counts(3, 3, 3, 3) }),
    rollouts: [rollout({ phase: 'progressing', endedAt: null })],
    expected: { verdict: 'waiting', updated: 3, revision: 4 },
  },
  {
    name: 'rolled back',
    service: service({ revision: 4 }),
    rollouts: [rollout({ phase: 'rolled-back', reason: 'web-0 failed three times' })],
    expected: { verdict: 'failed', status: 'rolled-back', reason: 'web-0 failed three times' },
  },
  {
    name: 'paused after a failure',
    service: service({ status: 'degraded' }),
    rollouts: [rollout({ phase: 'paused', reason: 'no progress for 10m' })],
    expected: { verdict: 'failed', status: 'paused', reason: 'no progress for 10m' },
  },
  {
    name: 'superseded by somebody else',
    service: service({ revision: 4, status: 'progressing' }),
    rollouts: [rollout({ phase: 'superseded', reason: 'by revision 4' })],
    expected: { verdict: 'failed', status: 'superseded' },
  },
  {
    name: 'rollouts of other revisions and services do not matter',
    service: service(),
    rollouts: [
      rollout({ to: 2, phase: 'failed' }),
      rollout({ service: 'api', phase: 'failed' }),
      rollout({ environment: 'test', phase: 'failed' }),
    ],
    expected: { verdict: 'done' },
  },
  {
    name: 'deleted by somebody else',
    service: undefined,
    expected: { verdict: 'failed', status: 'gone' },
  },
  {
    name: 'is being deleted',
    service: service({ deleting: true, ...counts(0, 2, 2, 2) }),
    target: gone,
    expected: { verdict: 'waiting', status: 'deleting', desired: 2 },
  },
  {
    name: 'is gone',
    service: undefined,
    target: gone,
    expected: { verdict: 'done', status: 'gone' },
  },
]

for (const { name, service, rollouts = [], target: wanted = target, expected } of cases) {
  t.test(name, async (t) => {
    t.match(judge(wanted, service, rollouts), expected)
  })
}
