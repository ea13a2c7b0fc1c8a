import t from 'tap'

import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { StoreFull } from '../../src/store/store.ts'
import { batch, recordsOf, testStore } from './behaviour.ts'

testStore('memory', async () => {
  const store = new MemoryStore()
  return {
    store,
    async reopen() {
      store.reopen()
      return store
    },
  }
})

t.test('a hook may take time or fail the commit', async (t) => {
  const failing = new StoreFull('no room')
  let fails = true
  const store = new MemoryStore({
    async beforeCommit() {
      await new Promise(setImmediate)
      if (fails) throw failing
    },
  })
  const change = [{ kind: 'token', key: 'a', value: 1 }] as const
  await t.rejects(store.commit(batch(1, change)), failing)
  t.strictSame(await recordsOf(store), [])
  fails = false
  await store.commit(batch(1, change))
  t.equal((await recordsOf(store)).length, 1)
})

t.test('what is kept is a copy', async (t) => {
  const store = new MemoryStore()
  const value = { a: 1 }
  await store.commit(batch(1, [{ kind: 'token', key: 'a', value }]))
  value.a = 2
  t.strictSame(await recordsOf(store), [{ kind: 'token', key: 'a', value: { a: 1 } }])
  await t.rejects(store.backup(), /cannot be backed up/)
})
