import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

const run = promisify(execFile)
const timeoutMs = 30_000

/** The configuration cannot be loaded: trying again changes nothing. */
export class Unloadable extends Error {}

/** Asks HAProxy whether it can load a file of the directory. Throws Unloadable with what it says. */
export async function checkConfig(binary: string, directory: string, file: string): Promise<void> {
  try {
    await run(binary, ['-c', '-f', file], { cwd: directory, timeout: timeoutMs })
  } catch (error) {
    const said = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    throw new Unloadable(`HAProxy does not accept its configuration: ${alertsIn(said)}`)
  }
}

function alertsIn(text: string): string {
  const alerts = text.split('\n').filter((line) => line.startsWith('[ALERT]'))
  return (alerts.length > 0 ? alerts.join('; ') : text.trim()).slice(0, 1000)
}
