import t from 'tap'

import { TextEncoding } from '../../src/sessions/text-encoding.ts'

t.test('a long text that is sent to many is encoded once, and every text as itself', async (t) => {
  const encoder = new TextEncoding()
  t.equal(encoder.encode('{"kind":"a"}'), '{"kind":"a"}')
  const long = (end: string): string => `{"kind":"endpoints","tables":["${'ü€'.repeat(1000)}${end}"]}`
  const first = encoder.encode(long('a'))
  t.ok(Buffer.isBuffer(first))
  t.equal(String(first), long('a'))
  t.equal(encoder.encode(long('a')), first)
  t.equal(String(encoder.encode(long('b'))), long('b'))
  t.equal(String(first), long('a'), 'what is on its way stays as it is')
})
