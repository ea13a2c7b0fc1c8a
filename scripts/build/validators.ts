import { dirname } from 'node:path'

import type { Plugin } from 'esbuild'

import { validatorCode } from '../../packages/shared/src/spec/validation/validator-code.ts'

/** Compiles the schemas of documents when the program is built: when it runs, that takes longer than all else. */
export const precompiledValidators: Plugin = {
  name: 'precompiled-validators',
  setup(build) {
    build.onLoad({ filter: /[\\/]spec[\\/]validation[\\/]validators\.ts$/ }, ({ path }) => ({
      contents: validatorCode(),
      loader: 'js',
      resolveDir: dirname(path),
    }))
  },
}
