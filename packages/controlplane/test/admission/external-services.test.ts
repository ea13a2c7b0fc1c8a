import type { ExternalServiceSpec } from '@bulkhead/shared'
import { normaliseExternalService } from '@bulkhead/shared'
import { validateDocument } from '@bulkhead/shared/validation'
import t from 'tap'

import { applyExternals, deleteExternal, pruneExternals } from '../../src/admission/external-services.ts'
import { tableOf } from '../../src/discovery/core/endpoints.ts'
import { MemoryState } from '../support/memory-state.ts'
import { apply } from '../support/records.ts'

const source = {
  apiVersion: 'bulkhead/v1' as const,
  kind: 'ExternalService' as const,
  name: 'db',
  environment: 'prod',
  zone: 'data',
  addresses: ['10.20.0.5', 'FD00:0::5'],
  ports: { postgres: 5432, metrics: { port: 9187, protocol: 'tcp' as const } },
}
const spec = (change: Partial<ExternalServiceSpec> = {}): ExternalServiceSpec => ({
  ...normaliseExternalService(source),
  ...change,
})
const admitted = (...specs: readonly ExternalServiceSpec[]) =>
  specs.map((one, document) => ({ document, spec: one }))

function refusal(run: () => unknown): unknown {
  try {
    return run()
  } catch (error) {
    return error
  }
}

t.test('an external service is stored, and has a table like a service', async (t) => {
  const state = new MemoryState()
  t.match(applyExternals(state, admitted(spec())), [{ kind: 'ExternalService', action: 'create' }])
  t.match(applyExternals(state, admitted(spec())), [{ action: 'unchanged' }])
  const table = tableOf(state, 'prod/db')
  t.match(table, { external: true, zone: 'data', addressIndex: Number, ports: { postgres: { port: 5432, protocol: 'tcp' } } })
  t.same(
    table?.endpoints.map(({ address, hostPort }) => `${address} ${hostPort}`),
    ['10.20.0.5 5432', '10.20.0.5 9187', 'fd00::5 5432', 'fd00::5 9187'],
  )
  const [change] = applyExternals(state, admitted(spec({ addresses: ['10.20.0.6'] })))
  t.match(change, { action: 'update', changes: [{ path: '/addresses/0' }, { path: '/addresses/1' }] })
  t.equal(tableOf(state, 'prod/db')?.addressIndex, table?.addressIndex, 'its address is for life')
})

t.test('what contradicts the cluster is refused', async (t) => {
  const state = new MemoryState()
  const nowhere = refusal(() => applyExternals(state, admitted(spec({ zone: 'nowhere' }))))
  t.match(nowhere, { code: 'bad-spec', problems: [{ document: 0, path: '/zone' }] })
  apply(state, { name: 'web' })
  const taken = spec({ name: 'web', environment: 'default' })
  t.match(refusal(() => applyExternals(state, admitted(taken))), { code: 'conflict' })
  t.match(refusal(() => deleteExternal(state, 'prod/none', '')), { code: 'not-found' })
})

t.test('prune takes those of its environments only', async (t) => {
  const state = new MemoryState()
  applyExternals(state, admitted(spec(), spec({ name: 'old' }), spec({ name: 'other', environment: 'test' })))
  const pruned = pruneExternals(state, admitted(spec()), new Set(['prod']))
  t.match(pruned, [{ name: 'old', action: 'delete' }])
  t.same([...state.externals.keys()].toSorted(), ['prod/db', 'test/other'])
})

t.test('a document is checked', async (t) => {
  const problemsOf = (change: object): readonly string[] => {
    const result = validateDocument({ ...source, ...change })
    return result.ok ? [] : result.problems.map(({ path, message }) => `${path} ${message}`)
  }
  t.same(problemsOf({}), [])
  t.match(problemsOf({ addresses: ['db.example.gov'] }), [/^\/addresses\/0 "db.example.gov" is no IP address/])
  t.match(problemsOf({ addresses: [] }), [/^\/addresses/])
  const unusable = [
    ['loopback', '127.0.0.1', '127.9.9.9', '::1', '::ffff:127.0.0.1'],
    ['unspecified', '0.0.0.0', '::'],
    ['link-local', '169.254.1.1', 'fe80::1'],
    ['multicast', '224.0.0.1', 'ff02::1'],
    ['reserved or broadcast', '255.255.255.255'],
  ].flatMap(([kind = '', ...addresses]) => addresses.map((address) => [kind, address] as const))
  for (const [kind, address] of unusable) {
    t.match(problemsOf({ addresses: [address] }), [`/addresses/0 ${JSON.stringify(address)} is a`], address)
    t.match(problemsOf({ addresses: [address] }), [` ${kind} address, which `], address)
  }
  t.match(problemsOf({ ports: {} }), [/^\/ports ports must name at least one port/])
  t.match(problemsOf({ adresses: ['10.0.0.1'] }), [/did you mean "addresses"/])
  t.match(problemsOf({ ports: { a: 1, b: 1 } }), [/^\/ports\/b port 1\/tcp is declared more than once/])
})
