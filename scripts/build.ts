import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build, type OutputFile } from 'esbuild'

import { absentModules, sqliteBinding } from './build/plugins.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const staleAfterMs = 24 * 60 * 60 * 1000

// Bundled CommonJS packages call require and read __dirname; neither exists in an ES module.
const banner = [
  "import { createRequire as __bulkheadRequire } from 'node:module'",
  'const require = __bulkheadRequire(import.meta.url)',
  'const __bulkheadFilename = import.meta.filename',
  'const __bulkheadDirname = import.meta.dirname',
].join('\n')

/** Writes beside the target and renames, as a running process may have the old file mapped. */
async function writeOutput(file: OutputFile): Promise<void> {
  const temporary = `${file.path}.${process.pid}.new`
  await writeFile(temporary, file.contents)
  await rename(temporary, file.path)
}

/** Removes chunks of earlier builds, except recent ones: a running process may still load them. */
async function removeStale(current: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(dist)) {
    const path = join(dist, name)
    const isOutput = /\.(mjs|map|node|new)$/.test(name)
    if (!isOutput || current.has(path)) continue
    const { mtimeMs } = await stat(path)
    if (Date.now() - mtimeMs > staleAfterMs) await rm(path, { force: true })
  }
}

const result = await build({
  absWorkingDir: root,
  entryPoints: { bulkhead: 'packages/cli/src/main.ts' },
  outdir: dist,
  outExtension: { '.js': '.mjs' },
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: 'linked',
  loader: { '.node': 'copy' },
  banner: { js: banner },
  define: { __filename: '__bulkheadFilename', __dirname: '__bulkheadDirname' },
  plugins: [
    sqliteBinding(root),
    // Engines are reached over a socket or TLS, never over ssh or a build session.
    absentModules(['ssh2', 'cpu-features', '@grpc/grpc-js', '@grpc/proto-loader']),
  ],
  write: false,
  logLevel: 'warning',
})

await mkdir(dist, { recursive: true })
await Promise.all(result.outputFiles.map(writeOutput))
await removeStale(new Set(result.outputFiles.map((file) => file.path)))
