import { test } from 'tap'

import { Metrics } from '../../src/api/metrics.ts'
import { TrafficCounts } from '../../src/sessions/traffic-counts.ts'
import { aRevision, aService, anInstance } from '../state/fixtures.ts'
import { openForTest } from '../state/open-for-test.ts'

const key = 'prod/web'

test('what proxies tell is counted by service', async (t) => {
  const { state } = await openForTest()
  t.teardown(() => state.close())
  await state.write({ actor: 'test' }, (tx) => {
    tx.putService(aService(key))
    tx.putRevision(aRevision(key, 1))
    for (const id of ['web-0-a', 'web-1-b']) tx.putInstance(anInstance(id))
  })
  const counts = new TrafficCounts(state.view)
  const metrics = new Metrics(state.view, counts)
  const more = { requests: 5, errors: 1, connections: 2, bytesIn: 10, bytesOut: 20 }
  counts.take({ kind: 'traffic', instances: [{ instance: 'web-0-a', ...more }, { instance: 'web-1-b', ...more }] })
  counts.take({ kind: 'traffic', instances: [{ instance: 'web-0-a', ...more }, { instance: 'unknown', ...more }] })
  for (const line of [
    'bulkhead_service_requests_total{environment="prod",service="web"} 15',
    'bulkhead_service_errors_total{environment="prod",service="web"} 3',
    'bulkhead_service_connections_total{environment="prod",service="web"} 6',
    'bulkhead_service_received_bytes_total{environment="prod",service="web"} 30',
    'bulkhead_service_sent_bytes_total{environment="prod",service="web"} 60',
  ]) {
    t.match(await metrics.text(), line)
  }
  await state.write({ actor: 'test' }, (tx) => tx.deleteService(key))
  t.notMatch(await metrics.text(), /service="web"/, 'a service that is gone is forgotten')
})
