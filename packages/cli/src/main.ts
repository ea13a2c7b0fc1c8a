import { writeSync } from 'node:fs'

import { version } from './version.ts'

// Everything else is loaded when it is needed, even the stream of the output: the command line starts often and
// ends soon.
const [first, second] = process.argv.slice(2)
if ((first === '--version' || first === '-V') && second === undefined) {
  writeSync(1, `bulkhead ${version}\n`)
} else {
  const { startProcess } = await import('./process.ts')
  await startProcess(process)
}
