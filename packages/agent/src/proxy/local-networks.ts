import { execFile } from 'node:child_process'
import { appendFile, mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const timeoutMs = 5000
const options = {
  timeout: timeoutMs,
  env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
}

const familyOf = (network: string): string => (network.includes(':') ? '-6' : '-4')

/**
 * An address of IPv6 stands for the network of services that it is of. Proxies listen at addresses of services; what
 * listens at `own` ones does so at every address of the machine, as name servers do.
 */
async function isListenedIn(made: string, own: readonly string[]): Promise<boolean> {
  const network = made.includes('/') ? made : `${made}/96`
  const argv = ['-H', '-l', '-t', '-n', familyOf(made), 'src', network]
  const { stdout } = await run('ss', argv, options)
  const listeners = stdout.split('\n').filter((line) => line.trim() !== '')
  return listeners.some((line) => !own.some((address) => line.includes(` [${address}]:`)))
}

/** Networks whose every address is local to this machine, so that programs can listen there. */
export class LocalNetworks {
  readonly #directory: string
  readonly #file: string
  readonly #noted = new Set<string>()

  constructor(directory: string) {
    this.#directory = directory
    this.#file = join(directory, 'networks')
  }

  async make(network: string): Promise<void> {
    await this.#note(network)
    const argv = [familyOf(network), 'route', 'replace', 'local', network, 'dev', 'lo']
    await run('ip', argv, options)
  }

  /**
   * Gives the machine an address of IPv6 that programs connect from. One that is `byName` is taken only by a program
   * that asks for it.
   */
  async own(address: string, byName: boolean): Promise<void> {
    await this.#note(address)
    const lifetimes = byName ? ['valid_lft', 'forever', 'preferred_lft', '0'] : []
    const argv = ['-6', 'address', 'replace', `${address}/128`, 'dev', 'lo', ...lifetimes]
    await run('ip', argv, options)
  }

  /** Takes back what was made here, unless something listens in its network: another proxy, say. */
  async unmakeAll(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch(() => '')
    const all = new Set(text.split('\n').filter((line) => line !== ''))
    const own = [...all].filter((made) => !made.includes('/'))
    for (const made of all) {
      if (await isListenedIn(made, own)) continue
      const family = familyOf(made)
      const argv = made.includes('/')
        ? [family, 'route', 'del', 'local', made, 'dev', 'lo']
        : [family, 'address', 'del', `${made}/128`, 'dev', 'lo']
      // It may be gone already.
      await run('ip', argv, options).catch(() => {})
    }
    await rm(this.#file, { force: true })
  }

  /** Before it is made, so that it is taken back whatever happens in between. */
  async #note(network: string): Promise<void> {
    if (this.#noted.has(network)) return
    await mkdir(this.#directory, { recursive: true, mode: 0o700 })
    await appendFile(this.#file, `${network}\n`)
    this.#noted.add(network)
  }
}
