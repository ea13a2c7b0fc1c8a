import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const timeoutMs = 5000
const oldest = [2, 6] as const

/** HAProxy as it is found on the machine, or why it cannot be used. */
export type Installation =
  | { readonly version: string; readonly binary: string }
  | { readonly version: null; readonly reason: string }

export async function findHaproxy(binary = 'haproxy'): Promise<Installation> {
  if (process.platform !== 'linux') return unusable('the node-local proxy needs Linux')
  if (!(await mayChangeNetwork())) {
    return unusable(
      'the agent may not change the network of the machine (CAP_NET_ADMIN), as root may',
    )
  }
  // Where Debian has it may not be in the path of the agent.
  const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin:/sbin`
  try {
    if ((await findCommand('ip', path)) === null) {
      return unusable(
        'the command ip is not installed; install the package iproute2 and start the agent anew',
      )
    }
    const found = await findCommand(binary, path)
    if (found === null) {
      return unusable(
        'HAProxy is not installed; install the package haproxy and start the agent anew',
      )
    }
    const { stdout } = await run(found, ['-v'], { timeout: timeoutMs, env: { PATH: path } })
    return judge(stdout, found)
  } catch (error) {
    return unusable(
      `HAProxy does not run: ${error instanceof Error ? error.message : String(error)}`,
    )
  }
}

const unusable = (reason: string): Installation => ({ version: null, reason })

const netAdmin = 1n << 12n

async function mayChangeNetwork(): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '')
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'
  return (BigInt(`0x${effective}`) & netAdmin) !== 0n
}

async function findCommand(name: string, path: string): Promise<string | null> {
  const argv = ['-c', 'command -v -- "$1"', 'sh', name]
  const options = { timeout: timeoutMs, env: { PATH: path } }
  return run('/bin/sh', argv, options).then(
    ({ stdout }) => stdout.trim(),
    () => null,
  )
}

/** From what `haproxy -v` prints. */
export function judge(text: string, binary: string): Installation {
  const version = /^HA-?Proxy version (\d+\.\d+[^\s]*)/m.exec(text)?.[1]
  if (version === undefined) return unusable(`${binary} does not tell its version`)
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10))
  const isNew = major > oldest[0] || (major === oldest[0] && minor >= oldest[1])
  return isNew
    ? { version, binary }
    : unusable(`HAProxy ${version} is too old: ${oldest.join('.')} or later is needed`)
}

async function names(file: string): Promise<ReadonlySet<string>> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return new Set(text.split('\n').map((line) => line.split(':')[0] ?? ''))
}

/** The account that HAProxy's package has made, else that of nobody; null when there is neither. */
export async function findAccount(): Promise<{ user: string; group: string } | null> {
  const [users, groups] = [await names('/etc/passwd'), await names('/etc/group')]
  const candidates = [
    { user: 'haproxy', group: 'haproxy' },
    { user: 'nobody', group: 'nogroup' },
    { user: 'nobody', group: 'nobody' },
  ]
  return candidates.find(({ user, group }) => users.has(user) && groups.has(group)) ?? null
}
