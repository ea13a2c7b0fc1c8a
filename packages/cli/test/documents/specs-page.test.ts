import { readFileSync } from 'node:fs'

import {
  defaultZones,
  normaliseService,
  normaliseZones,
  sourceSchemas,
  type ServiceSource,
  type ZonesSource,
} from '@bulkhead/shared'
import { validateDocuments } from '@bulkhead/shared/validation'
import t from 'tap'

import { parseText } from '../../src/documents/parse.ts'

const page = readFileSync(new URL('../../../../docs/specs.md', import.meta.url), 'utf8')
const blocks = [...page.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = '']) => text)
const documents = blocks.flatMap((text) =>
  parseText(text, 10).documents.map(({ value }) => value as ServiceSource | ZonesSource),
)
const service = documents.find((document) => document.kind === 'Service')
const zones = documents.find((document) => document.kind === 'Zones')

t.test('docs/specs.md has valid documents', async (t) => {
  t.equal(documents.length, 3)
  t.strictSame(validateDocuments(documents).problems, [])
})

t.test('docs/specs.md names every key of a service', async (t) => {
  const shown = new Set(Object.keys(service ?? {}))
  const told = page.split('\n').find((line) => line.includes('without effect yet')) ?? ''
  const missing = Object.keys(sourceSchemas.Service.properties).filter(
    (key) => !shown.has(key) && !told.includes(`\`${key}\``),
  )
  t.strictSame(missing, [])
})

t.test('what docs/specs.md says is a default is one', async (t) => {
  const { apiVersion, kind, name, zone, image } = service as ServiceSource
  const byDefault = normaliseService({ apiVersion, kind, name, zone, image })
  // The only ones that are there as examples.
  const { ports, placement, health } = normaliseService(service as ServiceSource)
  t.strictSame(normaliseService(service as ServiceSource), {
    ...byDefault,
    ports,
    placement,
    health,
  })
  t.strictSame(normaliseZones(zones as ZonesSource), defaultZones)
})

t.test(
  'what docs/specs.md says of canary and blue-green is valid, and their default',
  async (t) => {
    const { apiVersion, kind, name, zone, image } = service as ServiceSource
    const minimal = { apiVersion, kind, name, zone, image }
    const updates = [...page.matchAll(/```\n(update:\n[\s\S]*?)```/g)].map(([, text = '']) => {
      const [document] = parseText(text, 10).documents
      return (document?.value as ServiceSource | undefined)?.update ?? {}
    })
    t.strictSame(
      updates.map(({ strategy }) => strategy),
      ['canary', 'blue-green'],
    )
    for (const update of updates) {
      const { strategy = 'rolling' } = update
      t.strictSame(validateDocuments([{ ...minimal, update }]).problems, [])
      t.strictSame(
        normaliseService({ ...minimal, update }),
        normaliseService({ ...minimal, update: { strategy } }),
      )
    }
  },
)
