import t from 'tap'

import { instanceReason } from '../../src/api/views/instance-reason.ts'
import { MemoryState } from '../support/memory-state.ts'
import { anInstance, observing } from '../support/records.ts'

t.test('an instance in back-off says what it waits for', async (t) => {
  const state = new MemoryState()
  const { nowMs } = state
  const failed = anInstance({
    id: 'web-0-a',
    service: 'default/web',
    observed: observing({ state: 'failed', reason: 'exited with code 1' }),
  })
  state.putInstance(failed)
  const observed = observing({ state: 'created', reason: 'its container is being started' })
  const next = anInstance({
    id: 'web-0-b',
    service: 'default/web',
    predecessor: 'web-0-a',
    attempt: 2,
    startAtMs: nowMs + 5000,
    observed,
  })
  const reason = (change: object, at = nowMs): string =>
    instanceReason(state, { ...next, ...change }, at)
  t.equal(
    reason({}),
    'waits until 1970-01-01T00:16:45Z before it is started again, after 2 failures in a row: exited with code 1',
  )
  t.match(reason({ attempt: 1 }), /after 1 failure in a row/)
  t.match(reason({ predecessor: null }), /in a row$/)
  const others: [string, object, string][] = [
    ['its time has come', { startAtMs: nowMs }, 'its container is being started'],
    ['it has not failed', { attempt: 0 }, 'its container is being started'],
    ['it runs', { observed: { ...observed, state: 'running', reason: 'it runs' } }, 'it runs'],
    ['it is to stop', { desired: 'stop' }, 'its container is being started'],
    ['it has no node', { node: null }, 'test'],
    ['nothing was said', { attempt: 0, observed: { ...observed, reason: '' } }, 'test'],
  ]
  for (const [what, change, expected] of others) t.equal(reason(change), expected, what)
})
