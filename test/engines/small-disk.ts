import { closeSync, constants, openSync, rmSync, writeSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { run } from './command.ts'

/** A disk of its own that can be filled to the last byte. */
export interface SmallDisk extends AsyncDisposable {
  fill(): void
  free(): void
}

const stepsBytes = [1024 * 1024, 64 * 1024, 4096, 512]

/** Makes an ext4 file system of that size in a file, and mounts it at `directory`. */
export async function mountSmallDisk(directory: string, mebibytes: number): Promise<SmallDisk> {
  const file = `${directory}.disk`
  await mkdir(directory, { recursive: true })
  await run(['truncate', '--size', `${mebibytes}M`, file])
  // Without blocks that only root may use: who writes here is root.
  await run(['mkfs.ext4', '-q', '-F', '-m', '0', file])
  await run(['mount', '-o', 'loop', file, directory])
  const filler = join(directory, 'filler')
  return {
    fill: () => writeUntilFull(filler),
    free: () => rmSync(filler, { force: true }),
    async [Symbol.asyncDispose]() {
      await run(['umount', '--lazy', directory])
      rmSync(file, { force: true })
    },
  }
}

function writeUntilFull(path: string): void {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND)
  try {
    for (const bytes of stepsBytes) while (writes(file, bytes));
  } finally {
    closeSync(file)
  }
}

function writes(file: number, bytes: number): boolean {
  try {
    return writeSync(file, Buffer.alloc(bytes)) === bytes
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return false
    throw error
  }
}
