import { cp, mkdir, mkdtemp, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Edit, Mutation } from './mutation.ts'

const root = join(import.meta.dirname, '../../..')

/** A copy of the sources that a mutation can be applied to, with the installed dependencies linked. */
export async function copySources(): Promise<string> {
  const copy = await mkdtemp(join(tmpdir(), 'bulkhead-mutants-'))
  await cp(join(root, 'packages'), join(copy, 'packages'), {
    recursive: true,
    verbatimSymlinks: true,
  })
  await cp(join(root, 'test/simulation'), join(copy, 'test/simulation'), { recursive: true })
  await cp(join(root, 'package.json'), join(copy, 'package.json'))
  await mkdir(join(copy, 'node_modules'))
  for (const name of await readdir(join(root, 'node_modules'))) {
    const [from, to] = [join(root, 'node_modules', name), join(copy, 'node_modules', name)]
    // The workspace's own packages are to be those of the copy.
    if (name === '@bulkhead') await cp(from, to, { recursive: true, verbatimSymlinks: true })
    else await symlink(from, to)
  }
  return copy
}

/** Applies the mutation to the copy; returns what takes it back. Throws when it does not apply any more. */
export async function applyTo(
  copy: string,
  mutation: Mutation,
): Promise<() => Promise<void>> {
  const undos: (() => Promise<void>)[] = []
  for (const edit of [mutation, ...(mutation.also ?? [])]) {
    undos.unshift(await applyEdit(copy, mutation.name, edit))
  }
  return async () => {
    for (const undo of undos) await undo()
  }
}

async function applyEdit(
  copy: string,
  name: string,
  { file, find, replace }: Edit,
): Promise<() => Promise<void>> {
  const path = join(copy, file)
  const text = await readFile(path, 'utf8')
  const times = text.split(find).length - 1
  if (times !== 1) throw new Error(`${name}: its place stands ${times} times in ${file}`)
  await writeFile(
    path,
    text.replace(find, () => replace),
  )
  return () => writeFile(path, text)
}
