import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { promisify } from 'node:util'

import { programPath } from './program-path.ts'

const folder = '/proc/sys/net/bridge'
const settings = ['bridge-nf-call-iptables', 'bridge-nf-call-ip6tables'] as const
const deadlineMs = 10_000

/**
 * What goes from one container to another on the same bridge is switched, not routed, and passes the rules only as
 * long as the kernel's br_netfilter hands it to them. Turns that on and returns the settings that were off; throws
 * when it cannot be.
 */
export async function filterBridges(): Promise<readonly string[]> {
  const changed: string[] = []
  for (const name of settings) {
    const path = `${folder}/${name}`
    if ((await readFile(path, 'utf8')).trim() === '1') continue
    await writeFile(path, '1')
    changed.push(`net.bridge.${name}`)
  }
  return changed
}

/** Why containers on one bridge would reach each other past the rules; empty when they do not. */
export async function whyNotFiltered(): Promise<string> {
  const tried = await tryToFilter()
  if (tried === '') return ''
  const options = { env: { PATH: programPath }, timeout: deadlineMs }
  await promisify(execFile)('modprobe', ['br_netfilter'], options).catch(() => {})
  return tryToFilter()
}

async function tryToFilter(): Promise<string> {
  try {
    await filterBridges()
    return ''
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const why = error instanceof Error ? error.message : String(error)
    const what = isMissing ? 'br_netfilter is not loaded: modprobe br_netfilter' : why
    return `containers on one bridge would reach each other past the rules (${what})`
  }
}
