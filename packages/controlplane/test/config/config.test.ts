import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { test } from 'tap'

import { readConfig } from '../../src/config/read-config.ts'

const directory = mkdtempSync(join(tmpdir(), 'bulkhead-config-'))
const file = join(directory, 'config.yaml')
const read = (text: string, listen?: string) => {
  writeFileSync(file, text)
  return readConfig(file, listen === undefined ? {} : { listen })
}

test('configuration', async (t) => {
  t.teardown(() => rmSync(directory, { recursive: true }))

  t.test('defaults', async (t) => {
    const config = readConfig(undefined, {})
    t.same(config.listen, { host: '127.0.0.1', port: 7070 })
    t.same(config.images, { registries: [], local: 'deny' })
    t.equal(config.nodes.heartbeatMs, 500)
    t.equal(config.nodes.suspectAfterMs, 1500)
    t.equal(config.nodes.lostAfterMs, 2500)
    t.equal(config.nodes.downAfterMs, 60_000)
    t.equal(config.nodes.allowUnenforced, false)
    t.equal(read('zones: { unenforced: allow }').nodes.allowUnenforced, true)
    t.same(config.ports.range, { first: 20_000, last: 32_000 })
    t.same(read(''), config, 'an empty file is all defaults')
    t.equal(config.dns, null)
    t.same(read('dns: { listen: "[::1]:53" }').dns, { host: '::1', port: 53 })
    t.throws(() => read('dns: { listen: everywhere }'), /dns\.listen: "everywhere" is not HOST:PORT/)
  })

  t.test('flags win over the file', async (t) => {
    t.same(read('listen: 127.0.0.1:8000', '[::1]:9000').listen, { host: '::1', port: 9000 })
  })

  const refusals: [string, RegExp][] = [
    ['nodes: { hartbeat: 2s }', /config\.yaml:1:10: nodes\.hartbeat is not a known key/],
    ['listen: [', /config\.yaml:1:/],
    ['ports: { range: 9-3 }', /ports\.range/],
    ['ports: { range: many }', /ports\.range/],
    ['nodes: { heartbeat: 3s }', /suspectAfter: must be longer than nodes\.heartbeat/],
    ['nodes: { lostAfter: 1.5s }', /lostAfter: must be longer/],
    ['nodes: { downAfter: 2s }', /downAfter: must not be shorter than nodes\.lostAfter/],
    ['listen: nowhere', /listen: "nowhere" is not HOST:PORT/],
    ['images: { registries: [ { host: "r:5000", username: u } ] }', /r:5000 needs username and passwordFile/],
    ['images: { local: perhaps }', /images\.local/],
    ['[]', /config\.yaml/],
  ]
  for (const [text, message] of refusals) {
    t.test(`refuses ${text}`, async (t) => {
      t.throws(() => read(text), { name: 'BulkheadError', code: 'bad-usage', message })
    })
  }
  t.throws(() => readConfig(join(directory, 'absent'), {}), { message: /cannot be read/ })
})
