import { availableParallelism } from 'node:os'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'

import { run } from './run.ts'
import { generate } from './scenario/generate.ts'
import type { Violation } from './world/world.ts'

/* Runs seeds on all cores. A run replaces the clock and the chance of its whole thread, so each core has a thread. */

export interface Explored {
  readonly seed: number
  readonly simulatedMs: number
  readonly events: number
  readonly violation: Violation | null
  readonly counts: ReadonlyMap<string, number>
}

interface Task {
  /** How many seeds have been taken, by all threads. */
  readonly taken: SharedArrayBuffer
  readonly first: number
  readonly untilMs: number
  readonly most: number
}

export const maxSeed = 2 ** 31

/** Runs seeds from `first` on for so long, `most` at most, and tells of each as it ends. Rejects when a thread fails. */
export async function explore(
  seconds: number,
  first: number,
  onSeed: (explored: Explored) => void,
  most = maxSeed,
): Promise<void> {
  const untilMs = Date.now() + seconds * 1000
  const task: Task = { taken: new SharedArrayBuffer(4), first, untilMs, most }
  const threads = Array.from({ length: availableParallelism() }, () => {
    const worker = new Worker(new URL(import.meta.url), { workerData: task })
    worker.on('message', onSeed)
    return new Promise<void>((resolve, reject) => {
      worker.once('error', reject).once('exit', () => resolve())
    })
  })
  await Promise.all(threads)
}

async function work({ taken, first, untilMs, most }: Task): Promise<void> {
  const counter = new Int32Array(taken)
  while (Date.now() < untilMs) {
    const index = Atomics.add(counter, 0, 1)
    if (index >= most) return
    const seed = (first + index) % maxSeed
    const { simulatedMs, events, violation, counts } = await run(generate(seed))
    parentPort?.postMessage({ seed, simulatedMs, events, violation, counts } satisfies Explored)
  }
}

if (!isMainThread) await work(workerData as Task)
