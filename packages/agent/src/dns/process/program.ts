import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'

/** What a name server runs: the source, or in a bundle the file that the build has made of it. */
const file = import.meta.url.endsWith('.ts') ? './main.ts' : './names.mjs'
/** It is mostly idle, and what it keeps are tables. */
const flags = [
  '--max-semi-space-size=1',
  '--optimize-for-size',
  '--v8-pool-size=1',
  '--disable-warning=ExperimentalWarning',
]

export interface Program {
  /** The same for the same program on the same runtime. */
  readonly id: string
  readonly command: string
  readonly argv: readonly string[]
}

export async function findProgram(): Promise<Program> {
  const path = fileURLToPath(new URL(file, import.meta.url))
  const { execPath: command, version } = process
  const hash = createHash('sha256').update(await readFile(path))
  const id = hash
    .update(JSON.stringify([command, version, flags]))
    .digest('hex')
    .slice(0, 16)
  return { id, command, argv: [...flags, path, id] }
}
