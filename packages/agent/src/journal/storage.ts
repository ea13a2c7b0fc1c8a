import { constants } from 'node:fs'
import { type FileHandle, open, readFile, rename } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** Where the journal's bytes live. Calls never overlap. */
export interface JournalStorage {
  /** Null when there is none yet. */
  read(): Promise<Buffer | null>
  /** Resolves when a killed process no longer loses the data; with `sync`, when a power failure does not either. */
  append(data: Buffer, sync: boolean): Promise<void>
  /** Replaces everything, durably and at once: after a crash there is the old or the new, never a mixture. */
  replace(data: Buffer): Promise<void>
  /** Moves what cannot be read out of the way, and says where to. */
  setAside(suffix: string): Promise<string>
  close(): Promise<void>
}

const privateMode = 0o600

export class FileStorage implements JournalStorage {
  readonly #path: string
  #file: FileHandle | null = null

  constructor(path: string) {
    this.#path = path
  }

  async read(): Promise<Buffer | null> {
    try {
      return await readFile(this.#path)
    } catch (error) {
      if (isMissing(error)) return null
      throw error
    }
  }

  async append(data: Buffer, sync: boolean): Promise<void> {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND
    this.#file ??= await open(this.#path, flags, privateMode)
    await this.#file.appendFile(data)
    if (sync) await this.#file.datasync()
  }

  async replace(data: Buffer): Promise<void> {
    await this.close()
    await replaceFile(this.#path, data)
  }

  async setAside(suffix: string): Promise<string> {
    await this.close()
    const target = `${this.#path}.${suffix}`
    await rename(this.#path, target)
    return target
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
  }
}

const isMissing = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && error.code === 'ENOENT'

/** Writes a file beside the target, syncs and renames it, and syncs the directory. */
export async function replaceFile(path: string, data: Buffer | string): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', privateMode)
  try {
    await file.writeFile(data)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  const directory = await open(join(dirname(path), '.'), constants.O_RDONLY)
  try {
    await directory.sync()
  } finally {
    await directory.close()
  }
}
