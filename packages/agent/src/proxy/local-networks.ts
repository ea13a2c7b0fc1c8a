import { execFile } from 'node:child_process'
import { appendFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const timeoutMs = 5000
const options = {
  timeout: timeoutMs,
  env: { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin` },
}

const nonLocalBind6 = '/proc/sys/net/ipv6/ip_nonlocal_bind'

const familyOf = (network: string): string => (network.includes(':') ? '-6' : '-4')

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
    const family = familyOf(network)
    // Unlike IPv4, a route alone does not let anybody listen there.
    if (family === '-6') await writeFile(nonLocalBind6, '1\n')
    await run('ip', [family, 'route', 'replace', 'local', network, 'dev', 'lo'], options)
  }

  /** Takes back what was made here, unless something listens at an address of it: another proxy, say. */
  async unmakeAll(): Promise<void> {
    const text = await readFile(this.#file, 'utf8').catch(() => '')
    for (const network of new Set(text.split('\n').filter((line) => line !== ''))) {
      const family = familyOf(network)
      const { stdout } = await run('ss', ['-H', '-l', '-t', '-n', family, 'src', network], options)
      if (stdout.trim() !== '') continue
      const argv = [family, 'route', 'del', 'local', network, 'dev', 'lo']
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
