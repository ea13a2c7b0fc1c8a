import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import { foreignChanges } from './core/foreign-changes.ts'
import type { Kernel } from './kernel.ts'
import { programPath } from './program-path.ts'

const deadlineMs = 10_000
const maxErrorLength = 500
const ownProcesses = 64

const environment = { PATH: programPath, LC_ALL: 'C' }

/** Asks the kernel through the nft program. */
export class Nft implements Kernel {
  readonly #own = new OwnProcesses()

  async list(table: string): Promise<unknown> {
    let text: string
    try {
      text = await this.#call(['-j', 'list', 'table', ...table.split(' ')], '')
    } catch (error) {
      if (error instanceof Error && error.message.includes('No such file or directory')) return null
      throw error
    }
    try {
      return JSON.parse(text) as unknown
    } catch {
      // Of a table that was put to sleep nft 1.0 prints what is no JSON.
      return {}
    }
  }

  async run(script: string): Promise<void> {
    await this.#call(['-f', '-'], script)
  }

  async follow(table: string, onChange: () => void, signal: AbortSignal): Promise<void> {
    const heed = foreignChanges(table, (pid) => this.#own.has(pid), onChange)
    const child = spawn('nft', ['monitor'], {
      env: environment,
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const ended = new Promise<void>((resolve) => {
      child.once('error', () => resolve())
      child.once('close', () => resolve())
    })
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on('line', heed)
    await ended
  }

  async #call(argv: readonly string[], input: string): Promise<string> {
    const child = spawn('nft', argv, {
      env: environment,
      timeout: deadlineMs,
      killSignal: 'SIGKILL',
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    this.#own.add(child.pid)
    const out: Buffer[] = []
    let problem = ''
    child.stdout.on('data', (data: Buffer) => out.push(data))
    child.stderr.on('data', (data: Buffer) => {
      problem = `${problem}${String(data)}`.slice(0, maxErrorLength)
    })
    // It may end before it has read everything; how it ends says why.
    child.stdin.on('error', () => {})
    child.stdin.end(input)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    child.once('error', reject)
    child.once('close', (code, signal) => {
      if (code === 0) return resolve()
      const why = problem.trim() || (signal === null ? `exit code ${code}` : `ended by ${signal}`)
      reject(new Error(why))
    })
    await promise
    return Buffer.concat(out).toString()
  }
}

/** The last programs that were run from here: what they have changed is told a little later. */
class OwnProcesses {
  #all: readonly number[] = []

  has(pid: number): boolean {
    return this.#all.includes(pid)
  }

  add(pid: number | undefined): void {
    if (pid !== undefined) this.#all = [...this.#all, pid].slice(-ownProcesses)
  }
}

/** Why zones cannot be held by this machine's kernel; empty when they can. */
export async function whyNotEnforced(kernel: Kernel): Promise<string> {
  try {
    // A transaction of its own that leaves nothing behind, with what is least common of all that is needed.
    await kernel.run(trial)
    return ''
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      return 'there is no nft on this machine: install the package nftables'
    }
    return `nft: ${error instanceof Error ? error.message : String(error)}`
  }
}

const trial = `
add table inet bulkhead_trial
add set inet bulkhead_trial networks { type ifname . ipv4_addr; flags interval; }
add set inet bulkhead_trial beat { type nf_proto; flags timeout; }
add chain inet bulkhead_trial in { type filter hook prerouting priority -150; policy accept; }
add rule inet bulkhead_trial in iifname . ip saddr @networks fib daddr . iif type != local ct direction reply drop
add element inet bulkhead_trial beat { ipv4 timeout 500ms }
delete table inet bulkhead_trial
`
