import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { build, type BuildOptions, type OutputFile } from 'esbuild'

import { absentModules, lazyBuiltins, sqliteBinding } from './build/plugins.ts'
import { precompiledValidators } from './build/validators.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const dist = join(root, 'dist')
const staleAfterMs = 24 * 60 * 60 * 1000

// Bundled CommonJS packages call require and read __dirname; neither exists in an ES module.
const banner = [
  "const require = process.getBuiltinModule('node:module').createRequire(import.meta.url)",
  'const __bulkheadFilename = import.meta.filename',
  'const __bulkheadDirname = import.meta.dirname',
].join('\n')

/** In the place of the banner, so that source maps still fit, where nothing in the file needs it. */
const noBanner = banner.replaceAll(/[^\n]/g, '')
const needsBanner = (text: string): boolean => /\brequire\b|__bulkhead/.test(text)

function contentsOf({ path, text, contents }: OutputFile): string | Uint8Array {
  if (!path.endsWith('.mjs') || !text.startsWith(banner)) return contents
  const own = text.slice(banner.length)
  return needsBanner(own) ? contents : noBanner + own
}

/** Writes beside the target and renames, as a running process may have the old file mapped. */
async function writeOutput(file: OutputFile): Promise<void> {
  const temporary = `${file.path}.${process.pid}.new`
  await writeFile(temporary, contentsOf(file))
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

const common = {
  absWorkingDir: root,
  outdir: dist,
  outExtension: { '.js': '.mjs' },
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  assetNames: '[name]-[hash]',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  // Less text to read and keep; names stay, as they are in the stack traces of logs.
  minifyWhitespace: true,
  minifySyntax: true,
  lineLimit: 160,
  sourcemap: 'linked',
  loader: { '.node': 'copy' },
  banner: { js: banner },
  define: { __filename: '__bulkheadFilename', __dirname: '__bulkheadDirname' },
  plugins: [
    lazyBuiltins(),
    precompiledValidators,
    sqliteBinding(root),
    // Engines are reached over a socket or TLS, never over ssh, and nothing is ever built on them.
    absentModules([
      'ssh2',
      'cpu-features',
      '@grpc/grpc-js',
      '@grpc/proto-loader',
      'protobufjs',
      'tar-fs',
      '@balena/dockerignore',
    ]),
  ],
  write: false,
  logLevel: 'warning',
} as const satisfies BuildOptions

const results = await Promise.all([
  build({
    ...common,
    entryPoints: {
      bulkhead: 'packages/cli/src/main.ts',
      'store-thread': 'packages/controlplane/src/store/sqlite/thread/main.ts',
    },
    splitting: true,
  }),
  // Whole in one file, which is how an agent knows whether one that runs is its own.
  build({ ...common, entryPoints: { names: 'packages/agent/src/dns/process/main.ts' } }),
])
const outputFiles = results.flatMap((result) => result.outputFiles)

await mkdir(dist, { recursive: true })
await Promise.all(outputFiles.map(writeOutput))
await removeStale(new Set(outputFiles.map((file) => file.path)))
