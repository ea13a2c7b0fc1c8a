import { test } from 'tap'

import { MemoryStore } from '../../src/store/memory/memory-store.ts'
import { document, serve } from '../api/serve.ts'

/** Ids of what a fresh process makes of the same history. */
async function idsAfter(documents: readonly object[]): Promise<readonly string[]> {
  await using served = await serve(new MemoryStore())
  await served.call('POST', '/v1/apply', { documents, allowPending: true })
  for (let tries = 0; tries < 200 && served.state.view.instances.size === 0; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  return [...served.state.view.instances.keys()].toSorted()
}

test('a process that starts from an older state gives out no ids again', async (t) => {
  const documents = [document({ replicas: 3 })]
  const lost = await idsAfter(documents)
  const restored = await idsAfter(documents)
  t.equal(lost.length, 3)
  t.equal(restored.length, 3)
  t.strictSame(lost.filter((id) => restored.includes(id)), [], 'containers of the lost history bear the others')
})
