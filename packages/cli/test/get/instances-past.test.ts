import t from 'tap'

import { instances } from '../../src/kinds/instances.ts'
import * as make from '../support/fixtures.ts'

t.test('which instances a list no longer has', async (t) => {
  const running = make.instance({ id: 'web-0-bbbbbbbb' })
  const failed = make.instance({ state: 'failed' })
  const isPast = (given: Parameters<typeof make.instance>[0], ...others: (typeof running)[]) =>
    instances.isPast?.(make.instance(given), others)
  t.equal(isPast({}), false)
  t.equal(isPast({ state: 'stopped' }), true)
  t.equal(isPast({ state: 'failed' }), false, 'the last one of a slot is news')
  t.equal(isPast({ state: 'failed' }, failed), false)
  t.equal(isPast({ state: 'failed' }, running), true)
  t.equal(isPast({ state: 'failed' }, { ...running, slot: 1 }), false)
  t.equal(isPast({ state: 'failed' }, { ...running, environment: 'test' }), false)
})
