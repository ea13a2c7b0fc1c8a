import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A directory that is gone with its test. */
export function temporaryDirectory(t: { teardown(run: () => void): void }): string {
  const directory = mkdtempSync(join(tmpdir(), 'bulkhead-store-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  return directory
}
