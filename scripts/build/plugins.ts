import { builtinModules, createRequire } from 'node:module'
import { join } from 'node:path'

import type { Plugin } from 'esbuild'

/**
 * Bundles better-sqlite3 with the binary that its own rules choose for this machine, copied next
 * to the bundle, so that the result does not depend on where packages are installed.
 */
export function sqliteBinding(root: string): Plugin {
  return {
    name: 'sqlite-binding',
    setup(build) {
      build.onLoad({ filter: /better-sqlite3[\\/]lib[\\/]binding\.js$/ }, () => {
        const require = createRequire(join(root, 'packages/controlplane/package.json'))
        const library = createRequire(require.resolve('better-sqlite3'))
        const binding = library('./binding.js') as { getPrebuildPath(): string | null }
        const path = binding.getPrebuildPath()
        if (path === null) {
          const text = `better-sqlite3 has no binary for ${process.platform}-${process.arch}`
          return { errors: [{ text }] }
        }
        return {
          contents: [
            'let addon',
            'exports.getBinding = (binding) => {',
            "  if (typeof binding === 'string') return require(binding)",
            `  return binding ?? (addon ??= require(${JSON.stringify(path)}))`,
            '}',
          ].join('\n'),
          loader: 'js',
        }
      })
    },
  }
}

/** Replaces packages that a dependency loads at once but that are never used here. */
export function absentModules(names: readonly string[]): Plugin {
  const escaped = names.map((name) => name.replaceAll('/', String.raw`\/`))
  return {
    name: 'absent-modules',
    setup(build) {
      build.onResolve({ filter: new RegExp(`^(${escaped.join('|')})$`) }, ({ path }) => ({
        path,
        namespace: 'absent-modules',
      }))
      build.onLoad({ filter: /.*/, namespace: 'absent-modules' }, () => ({
        contents: 'module.exports = {}',
        loader: 'js',
      }))
    },
  }
}

/**
 * A module that hands over each name of one of Node's own modules, and loads it, when the name is first used.
 * What is a function by itself, and the process, whose methods need to be called on it, are handed over whole.
 */
function builtinSource(name: string): string {
  const load = `process.getBuiltinModule(${JSON.stringify(name)})`
  const own: unknown = process.getBuiltinModule(name)
  if (typeof own === 'function' || name === 'node:process') return `module.exports = ${load}`
  const names = JSON.stringify(Object.keys(own as object))
  return [
    `for (const name of ${names}) {`,
    `  Object.defineProperty(exports, name, { enumerable: true, get: () => ${load}[name] })`,
    '}',
  ].join('\n')
}

/**
 * Loads Node's own modules when they are used and not when they are imported. An import statement also reads
 * every name that a module has, and with it what is behind some of them: from node:http all of fetch and
 * WebSocket, which takes time at every start and memory for as long as the process lives.
 */
export function lazyBuiltins(): Plugin {
  return {
    name: 'lazy-builtins',
    setup(build) {
      const names = builtinModules.filter((name) => !name.startsWith('_'))
      const filter = new RegExp(`^(node:.+|${names.join('|')})$`)
      build.onResolve({ filter }, ({ path, kind }) => {
        const name = `node:${path.replace(/^node:/, '')}`
        if (kind === 'require-call') return { path: name, external: true }
        return { path: name, namespace: 'lazy-builtins' }
      })
      build.onLoad({ filter: /.*/, namespace: 'lazy-builtins' }, ({ path }) => ({
        contents: builtinSource(path),
        loader: 'js',
      }))
    },
  }
}
