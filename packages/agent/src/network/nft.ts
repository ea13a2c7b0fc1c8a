import { spawn } from 'node:child_process'
import { delimiter } from 'node:path'

import type { Kernel } from './kernel.ts'

const deadlineMs = 10_000
const maxErrorLength = 500

/** The tool is where only the administrator's path leads on some systems. */
const path = [process.env['PATH'] ?? '', '/usr/sbin', '/sbin'].join(delimiter)

/** Asks the kernel through the nft program. */
export const nft: Kernel = {
  async list(table) {
    try {
      return JSON.parse(await call(['-j', 'list', 'table', ...table.split(' ')], '')) as unknown
    } catch (error) {
      if (error instanceof Error && error.message.includes('No such file or directory')) return null
      throw error
    }
  },
  async run(script) {
    await call(['-f', '-'], script)
  },
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

async function call(argv: readonly string[], input: string): Promise<string> {
  const child = spawn('nft', argv, {
    env: { PATH: path, LC_ALL: 'C' },
    timeout: deadlineMs,
    killSignal: 'SIGKILL',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
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
