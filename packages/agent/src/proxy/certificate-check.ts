import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const timeoutMs = 10_000
const configFile = 'certificate-check.cfg'

const configFor = (file: string): string => `# Written by the agent; changes are lost.
defaults
  timeout connect 1s
  timeout client 1s
  timeout server 1s

frontend check
  mode http
  bind 127.0.0.1:443 ssl crt ${file}
`

/**
 * Asks HAProxy whether it can load a certificate, whose file is named relative to `directory`: null, or why not. One
 * that it cannot load would have it refuse its whole configuration. Null also when it cannot be asked. One at a time.
 */
export const certificateCheck =
  (binary: string, directory: string) =>
  async (file: string): Promise<string | null> => {
    await writeFile(join(directory, configFile), configFor(file), { mode: 0o600 })
    try {
      await run(binary, ['-c', '-f', configFile], { cwd: directory, timeout: timeoutMs })
      return null
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null
      return typeof code === 'number' ? 'HAProxy cannot load it' : null
    }
  }
