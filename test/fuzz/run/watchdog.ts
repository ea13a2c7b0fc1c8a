import { Worker } from 'node:worker_threads'

/** Longer than any case may take on a machine that is busy with other things. */
const stuckMs = 60_000

/** Ends this process, saying where it was, when a check keeps the event loop from turning. */
export interface Watchdog extends Disposable {
  /** What is being done now; null: nothing that could get stuck. */
  watch(what: string | null): void
}

const watcher = `
const { parentPort } = require('node:worker_threads')
const { writeSync } = require('node:fs')
let what = null
let heardMs = Date.now()
parentPort.on('message', (message) => {
  heardMs = Date.now()
  if (message.what !== undefined) what = message.what
})
setInterval(() => {
  if (what === null || Date.now() - heardMs < ${stuckMs}) return
  writeSync(2, 'stuck for ${stuckMs / 1000} s in ' + what + '\\n')
  process.kill(process.pid, 'SIGKILL')
}, 500)
`

export function startWatchdog(): Watchdog {
  const worker = new Worker(watcher, { eval: true })
  worker.unref()
  const beat = setInterval(() => worker.postMessage({}, []), 500)
  beat.unref()
  return {
    watch: (what) => worker.postMessage({ what }, []),
    [Symbol.dispose]() {
      clearInterval(beat)
      void worker.terminate()
    },
  }
}
