import { readdir, readFile, readlink, realpath } from 'node:fs/promises'

/** How a master is told where to listen for commands, relative to the directory that it runs in. */
export const masterSocket = 'unix@master.sock'

interface Found {
  readonly pid: number
  readonly parent: number
}

/**
 * The master of HAProxy that runs in the directory, by what the kernel knows of every process: an agent may have ended
 * after it had started one and before it, or the master, could leave a trace. Null when there is none.
 */
export async function findMaster(directory: string): Promise<number | null> {
  const path = await realpath(directory).catch(() => directory)
  const found: Found[] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const one = await look(Number(name), path)
    if (one !== null) found.push(one)
  }
  // Its workers look the same where they keep its directory.
  const master = found.find(({ parent }) => found.every(({ pid }) => pid !== parent))
  return master?.pid ?? null
}

async function look(pid: number, directory: string): Promise<Found | null> {
  try {
    if ((await readlink(`/proc/${pid}/cwd`)) !== directory) return null
    const argv = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0')
    if (!argv.some((argument) => argument.startsWith(masterSocket))) return null
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    return { pid, parent: Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]) }
  } catch {
    // It has ended meanwhile, or is nobody's that we may look at.
    return null
  }
}
