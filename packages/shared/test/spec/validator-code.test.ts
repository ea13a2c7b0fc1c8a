import { pathToFileURL } from 'node:url'

import t from 'tap'

import { sourceSchemas, type SpecKind } from '../../src/index.ts'
import { validatorCode } from '../../src/spec/validation/validator-code.ts'
import { validatorOf } from '../../src/spec/validation/validators.ts'

const here = pathToFileURL(import.meta.filename).href
const banner = `import { createRequire } from 'node:module'; const require = createRequire('${here}');\n`

const service = {
  apiVersion: 'bulkhead/v1',
  kind: 'Service',
  name: 'web',
  zone: 'data',
  image: 'nginx:1',
}
const documents: readonly (readonly [SpecKind, unknown])[] = [
  ['Service', service],
  ['Service', {}],
  ['Service', null],
  ['Service', { ...service, name: 'é'.repeat(60), replicas: -1, replcas: 2 }],
  ['Service', { ...service, ports: { http: 'x', y: { port: 0 } }, health: { liveness: {} } }],
  ['Service', { ...service, expose: [{ port: 'http', listen: 99_999 }], env: { A: [] } }],
  ['Zones', { apiVersion: 'bulkhead/v1', kind: 'Zones', zones: { a: { edge: 'yes' } } }],
]

t.test('what the build compiles says the same', async (t) => {
  const code = Buffer.from(banner + validatorCode()).toString('base64')
  const built = (await import(`data:text/javascript;base64,${code}`)) as {
    readonly validatorOf: typeof validatorOf
  }
  for (const [kind, document] of documents) {
    const [expected, actual] = [validatorOf(kind), built.validatorOf(kind)]
    t.equal(actual(document), expected(document))
    t.same(actual.errors, expected.errors, `${kind}: ${expected.errors?.length ?? 0} errors`)
  }
  t.ok(Object.keys(sourceSchemas).every((kind) => built.validatorOf(kind as SpecKind)))
})
