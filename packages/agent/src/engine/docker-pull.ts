import type { Clock } from '@bulkhead/shared'

import { EngineError } from './engine.ts'

interface PullLine {
  readonly id?: string
  readonly status?: string
  readonly error?: string
  readonly progressDetail?: { readonly current?: number; readonly total?: number }
}

/** A pull that makes no progress for this long has failed. */
const stallMs = 90_000

/**
 * Reads the engine's account of a pull to its end. Throws `pull-failed` with the engine's words, or when it stalls;
 * `abort` ends the request then.
 */
export async function followPull(
  clock: Clock,
  lines: AsyncIterable<unknown>,
  onProgress: (text: string) => void,
  abort: () => void,
): Promise<void> {
  let stalled = false
  const watch = () =>
    clock.after(stallMs, () => {
      stalled = true
      abort()
    })
  let timer = watch()
  const layers = new Map<string, { current: number; total: number; done: boolean }>()
  try {
    for await (const value of lines) {
      timer.cancel()
      timer = watch()
      const line = value as PullLine
      if (typeof line.error === 'string') throw new EngineError('pull-failed', line.error)
      if (note(layers, line)) onProgress(describe(layers))
    }
  } catch (error) {
    if (!stalled) throw error
    throw new EngineError('pull-failed', `no progress for ${stallMs / 1000} s`)
  } finally {
    timer.cancel()
  }
}

type Layers = Map<string, { current: number; total: number; done: boolean }>

function note(layers: Layers, line: PullLine): boolean {
  const { id, status = '', progressDetail } = line
  if (id === undefined || status.startsWith('Pulling from')) return false
  const layer = layers.get(id) ?? { current: 0, total: 0, done: false }
  if (status === 'Downloading') {
    layer.current = progressDetail?.current ?? layer.current
    layer.total = progressDetail?.total ?? layer.total
  }
  layer.done ||= status === 'Pull complete' || status === 'Already exists'
  layers.set(id, layer)
  return true
}

function describe(layers: Layers): string {
  const all = [...layers.values()]
  const done = all.filter((layer) => layer.done).length
  const current = all.reduce((sum, layer) => sum + layer.current, 0)
  const total = all.reduce((sum, layer) => sum + layer.total, 0)
  const size = total > 0 ? `, ${megabytes(current)} of ${megabytes(total)} MB` : ''
  return `${done} of ${all.length} layers${size}`
}

const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0)
