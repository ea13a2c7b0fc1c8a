import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import { promisify } from 'node:util'

import { type Blob, createLayer } from './image.ts'
import type { TarEntry } from './tar.ts'

const lddTimeoutMs = 10_000

/** The folders that a root file system needs, and those above the given files. */
function foldersFor(paths: readonly string[]): TarEntry[] {
  const folders = new Set(['bin', 'etc', 'proc', 'sys', 'dev', 'run', 'app'])
  for (const path of paths) {
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) folders.add(folder)
  }
  const entries = [...folders].toSorted().map((path): TarEntry => ({ kind: 'folder', path }))
  return [...entries, { kind: 'folder', path: 'tmp', mode: 0o1777 }]
}

/** The skeleton of a root file system: folders and the user `app` with the id 1000. */
export function skeleton(paths: readonly string[]): TarEntry[] {
  const passwd = 'root:x:0:0:root:/:/bin/sh\napp:x:1000:1000:app:/tmp:/bin/sh\n'
  const group = 'root:x:0:\napp:x:1000:\n'
  return [
    ...foldersFor(paths),
    { kind: 'file', path: 'etc/passwd', data: Buffer.from(passwd) },
    { kind: 'file', path: 'etc/group', data: Buffer.from(group) },
  ]
}

/** Lists the absolute paths of the libraries that a program is linked with, if any. */
export async function librariesOf(program: string): Promise<readonly string[]> {
  const listing = promisify(execFile)('ldd', [program], { timeout: lddTimeoutMs })
  const { stdout } = await listing.catch((error: Error) => {
    if (/not a dynamic executable/.test(error.message)) return { stdout: '' }
    throw error
  })
  return stdout.split('\n').flatMap((line) => {
    const path = /(?:=> )?(\/\S+) \(0x/.exec(line)?.[1]
    return path === undefined ? [] : [path]
  })
}

/** Makes a root file system of this process's Node.js at /bin/node and its libraries. */
export async function createNodeLayer(): Promise<Blob> {
  const program = process.execPath
  const libraries = await librariesOf(program)
  const sources = new Map([['bin/node', program]])
  for (const path of libraries) sources.set(path.slice(1), path)
  const files = await Promise.all(
    [...sources].map(async ([path, source]): Promise<TarEntry> => ({
      kind: 'file',
      path,
      mode: 0o755,
      data: await readFile(source),
    })),
  )
  return createLayer([...skeleton([...sources.keys()]), ...files])
}
