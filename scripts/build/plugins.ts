import { createRequire } from 'node:module'
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
