import { writeSync } from 'node:fs'
import { flushCompileCache } from 'node:module'

import { systemClock } from '@bulkhead/shared'

import { openState } from '../../src/state/state.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { aNode, aToken, silent } from '../state/fixtures.ts'

/**
 * Writes until it is killed, ten at a time, and prints the number of each write once it is acknowledged. Every
 * write makes two records, so that half of one would be seen, and deletes those of the hundredth before it.
 */
const [directory = '', start = '0', threadBytes = '1000000000'] = process.argv.slice(2)
const store = openSqliteStore({
  directory,
  logger: silent,
  checkpointBytes: 200_000,
  truncateBytes: 400_000,
  threadBytes: Number(threadBytes),
})
const state = await openState({
  store,
  clock: systemClock,
  logger: silent,
  newClusterId: () => 'killed',
  onFatal: (error) => {
    throw error
  },
  limits: { eventsInStore: 100 },
})
let next = Number(start)
// A killed process has no later occasion.
flushCompileCache()

/** At once, unless whoever reads it is behind: what was said cannot be lost with the process. */
async function say(line: string): Promise<void> {
  for (;;) {
    try {
      writeSync(1, line)
      return
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
      await new Promise(setImmediate)
    }
  }
}

async function writer(): Promise<never> {
  for (;;) {
    const number = next++
    const padding = 'x'.repeat((number * 7919) % 5000)
    await state.write({ actor: 'admin' }, (tx) => {
      tx.putToken(aToken(`t${number}`, { hash: padding }))
      tx.putNode(aNode(`t${number}`))
      tx.deleteToken(`t${number - 100}`)
      tx.deleteNode(`t${number - 100}`)
      tx.event({ kind: 'Token', subject: `t${number}`, action: 'created', reason: '' })
    })
    await say(`${number}\n`)
  }
}

await Promise.all(Array.from({ length: 10 }, writer))
