import { execFileSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

import { systemClock } from '@bulkhead/shared'
import t from 'tap'

import { Readiness } from '../../src/api/readiness.ts'
import { openState, type State } from '../../src/state/state.ts'
import { openSqliteStore } from '../../src/store/sqlite/sqlite-store.ts'
import { aToken, silent, stoppedClock } from '../state/fixtures.ts'
import { temporaryDirectory } from './temporary-directory.ts'

const admin = { actor: 'admin' }

/** Mounts a file system of 2 MB; false when this process may not. */
function mountSmall(directory: string): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', directory], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

const write = (state: State, id: string): Promise<void> =>
  state.write(admin, (tx) => {
    tx.putToken(aToken(id, { hash: id.repeat(2_000) }))
    tx.event({ kind: 'Token', subject: id, action: 'created', reason: '' })
  })

/** Writes until the disk is full; returns what was acknowledged. */
async function fill(state: State, prefix: string): Promise<string[]> {
  const acknowledged: string[] = []
  for (let number = 0; number < 1_000; number++) {
    const id = `${prefix}-${number}`
    const error: unknown = await write(state, id).then(
      () => null,
      (reason: unknown) => reason,
    )
    if (error !== null) {
      t.match(error, { code: 'store-failed', message: /cannot be written/, advice: /make room/ })
      return acknowledged
    }
    acknowledged.push(id)
  }
  throw new Error('the disk did not get full')
}

/**
 * Until readiness finds no room either. Its trial is smaller than the writes and may fit where they do not, above all
 * when the log has just been written back: then the disk is filled again.
 */
async function fillToTheLast(
  state: State,
  readiness: Readiness,
): Promise<{ again: string[]; trials: number }> {
  const again: string[] = []
  for (let trials = 0; trials < 10; trials++) {
    again.push(...(await fill(state, `again-${trials}`)))
    const error: unknown = await readiness.check().catch((reason: unknown) => reason)
    if (error !== undefined) {
      t.match(error, { code: 'store-failed', message: /not ready: / })
      return { again, trials }
    }
    await sleep(1100)
  }
  throw new Error('a trial always fits')
}

for (const [where, threadBytes] of [
  ['', 1e9],
  [', in a thread of its own', 0],
] as const) {
  t.test(`a full disk refuses writes, keeps what is there, and recovers${where}`, async (t) => {
    const directory = temporaryDirectory(t)
    if (!mountSmall(directory)) {
      t.pass('a full disk', { skip: 'this process may not mount a small file system' })
      return
    }
    t.teardown(() => execFileSync('umount', ['-l', directory]))
    const ballast = join(directory, 'ballast')
    writeFileSync(ballast, Buffer.alloc(700_000))
    const data = join(directory, 'data')
    const options = { clock: stoppedClock, logger: silent, newClusterId: () => 'c' }
    const open = async (): Promise<{ state: State; close: () => Promise<void> }> => {
      const store = openSqliteStore({
        directory: data,
        logger: silent,
        checkpointBytes: 200_000,
        threadBytes,
      })
      const state = await openState({
        ...options,
        store,
        onFatal: (error) => t.fail(String(error)),
      })
      return { state, close: () => state.close().then(() => store.close()) }
    }
    const first = await open()
    const before = await fill(first.state, 'before')
    t.ok(before.length > 10)
    t.strictSame([...first.state.view.tokens.keys()], before.toSorted(), 'memory is as the disk is')
    t.equal(first.state.events({ kind: 'Token', limit: 1000 }).length, before.length)
    const readiness = new Readiness({ state: first.state, clock: systemClock })
    const { again, trials } = await fillToTheLast(first.state, readiness)
    rmSync(ballast)
    await sleep(1100)
    await readiness.check()
    const after = await fill(first.state, 'after')
    t.ok(after.length > 10, 'with room it goes on')
    const expected = [...before, ...again, ...after].toSorted()
    t.strictSame([...first.state.view.tokens.keys()], expected)
    await first.close()
    const second = await open()
    t.strictSame([...second.state.view.tokens.keys()], expected)
    t.equal(
      second.state.view.revision,
      expected.length + trials + 2,
      'the creation, the writes, and the trials of readiness',
    )
    await second.close()
  })
}
