import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

import { printable } from '@bulkhead/shared'

/** One file of what `-f` names; `-` is standard input. */
export type SourceText =
  | { readonly file: string; readonly text: string }
  | { readonly file: string; readonly problem: string }

type Chunks = AsyncIterable<Uint8Array | string>

const maxInputBytes = 10 * 1024 * 1024
const maxFilesOfDirectory = 5000
const maxDirectoriesTried = 100

const tooLarge = `is larger than ${maxInputBytes / 1024 / 1024} MiB, which is the most that is read`

/** What can go wrong with reading, in words; anything else that is thrown is a bug. */
class Unreadable extends Error {}

const wordsOfCodes: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or directory',
  EACCES: 'permission is denied',
  EPERM: 'permission is denied',
  EISDIR: 'it is a directory',
  ENAMETOOLONG: 'the name is too long',
  ELOOP: 'it is a circle of links',
}

function wordsOf(error: unknown): string {
  if (error instanceof Unreadable) return error.message
  const { code, message } = error as NodeJS.ErrnoException
  return `cannot be read: ${wordsOfCodes[code ?? ''] ?? printable(message, 200)}`
}

async function bytesOf(chunks: Chunks, budget: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = []
  let length = 0
  for await (const chunk of chunks) {
    const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk
    length += bytes.length
    if (length > budget) throw new Unreadable(tooLarge)
    parts.push(bytes)
  }
  return Buffer.concat(parts)
}

async function sourceOf(file: string, chunks: Chunks, budget = maxInputBytes) {
  try {
    const bytes = await bytesOf(chunks, budget)
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    return { source: { file, text }, length: bytes.length }
  } catch (error) {
    const isEncoding = (error as NodeJS.ErrnoException).code === 'ERR_ENCODING_INVALID_ENCODED_DATA'
    const problem = isEncoding ? 'is not text in UTF-8' : wordsOf(error)
    return { source: { file, problem }, length: 0 }
  }
}

const isDocument = (name: string): boolean => /\.ya?ml$/.test(name)

async function namesIn(directory: string): Promise<string[]> {
  const names: string[] = []
  for (const name of (await readdir(directory)).toSorted()) {
    if (!isDocument(name)) continue
    // A dangling link is left to the reading of the file to report.
    const isFile = await stat(join(directory, name)).then(
      (found) => found.isFile(),
      () => true,
    )
    if (isFile) names.push(name)
  }
  return names
}

/** Files further down are not read, so that one who meant them is told where they are. */
async function whyNone(directory: string): Promise<string> {
  const none = 'has no *.yaml or *.yml file in it'
  const inside = (await readdir(directory, { withFileTypes: true })).filter((one) => one.isDirectory())
  for (const { name } of inside.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(0, maxDirectoriesTried)) {
    const below = join(directory, name)
    const found = await readdir(below).catch((): string[] => [])
    if (found.some(isDocument)) return `${none}; directories in it are not read; did you mean ${below}?`
  }
  return none
}

async function sourcesIn(directory: string): Promise<SourceText[]> {
  const names = await namesIn(directory)
  if (names.length === 0) throw new Unreadable(await whyNone(directory))
  if (names.length > maxFilesOfDirectory) {
    throw new Unreadable(`has more than ${maxFilesOfDirectory} files in it`)
  }
  const sources: SourceText[] = []
  let budget = maxInputBytes
  for (const name of names) {
    const file = join(directory, name)
    const { source, length } = await sourceOf(file, createReadStream(file), budget)
    budget -= length
    sources.push(source)
  }
  return sources
}

/** Reads FILE, DIR (its *.yaml and *.yml files by name, not those further down) or `-`. */
export async function sourceTexts(path: string, stdin: Chunks): Promise<SourceText[]> {
  if (path === '-') return [(await sourceOf(path, stdin)).source]
  try {
    const found = await stat(path)
    if (found.isDirectory()) return await sourcesIn(path)
    return [(await sourceOf(path, createReadStream(path))).source]
  } catch (error) {
    return [{ file: path, problem: wordsOf(error) }]
  }
}
