import { pointerTo } from '../pointer.ts'
import type { ServiceSource } from '../source.ts'
import type { Problem } from './problem.ts'
import { shownText } from './shown.ts'

const reserved = ['/proc', '/sys', '/dev']
/** Directories that every container can write to, see `normalise`. */
const alwaysWritable = ['/tmp', '/run']

const isInside = (path: string, directory: string): boolean =>
  path === directory || path.startsWith(`${directory}/`)

/** Why nothing may be mounted at the path; null when it may be. Engines give `:` and `,` a meaning. */
function pathProblem(path: string): string | null {
  const segments = path.split('/').slice(1)
  if (path === '/') return 'is the root of the file system'
  if (segments.includes('..')) return 'contains ".."'
  if (segments.some((segment) => segment === '' || segment === '.')) {
    return 'is not in its shortest form'
  }
  if (!/^[A-Za-z0-9/._@%+=~-]+$/.test(path)) {
    return 'has characters other than letters, digits and . _ @ % + = ~ -'
  }
  const directory = reserved.find((candidate) => isInside(path, candidate))
  return directory === undefined ? null : `is in ${directory}, which belongs to the engine`
}

interface Mount {
  readonly at: string
  readonly path: string
}

function* mountsOf({ secrets = [], volumes = [] }: ServiceSource): Iterable<Mount> {
  for (const [index, { path }] of secrets.entries()) {
    yield { at: pointerTo('secrets', index, 'path'), path }
  }
  for (const [index, { path }] of volumes.entries()) {
    yield { at: pointerTo('volumes', index, 'path'), path }
  }
}

/** Paths in the container: absolute, normalised, not the engine's, and each used for one thing. */
export function* pathProblems(source: ServiceSource): Iterable<Problem> {
  const writable = source.security?.writable ?? []
  const mounts = [...mountsOf(source)]
  const directories = writable.map((path, index) => ({
    at: pointerTo('security', 'writable', index),
    path,
  }))
  for (const { at, path } of [...mounts, ...directories]) {
    const problem = pathProblem(path)
    if (problem !== null) yield { path: at, message: `path ${shownText(path)} ${problem}` }
  }
  const taken = new Set([...alwaysWritable, ...writable])
  for (const { at, path } of mounts) {
    if (taken.has(path)) {
      yield { path: at, message: `path ${shownText(path)} already has a use in this service` }
    }
    taken.add(path)
  }
}
