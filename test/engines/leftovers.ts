import { existsSync, readFileSync } from 'node:fs'

import { describeClaim } from './claim.ts'
import { run } from './command.ts'
import { listCgroups } from './demolish.ts'
import { listPids } from './processes.ts'

function readProc(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** Lists what the run of test hosts with that number has on this machine; empty after its end. */
export async function findLeftovers(number: number): Promise<readonly string[]> {
  const claim = describeClaim(number)
  const found: string[] = []
  const prefix = `${claim.directory}/`
  for (const pid of listPids()) {
    const command = readProc(pid, 'cmdline').replaceAll('\0', ' ')
    if (command.includes(prefix)) found.push(`process ${pid}: ${command}`)
    if (readProc(pid, 'mountinfo').includes(prefix)) found.push(`mount seen by process ${pid}`)
    const cgroup = readProc(pid, 'cgroup')
    if (cgroup.includes(`/${claim.bridge}-`)) found.push(`contained process ${pid}: ${command}`)
  }
  const links = await run(['ip', '-o', 'link', 'show'])
  for (const [, name] of links.matchAll(/^\d+: ([^:@]+)/gm)) {
    const isOurs = name === claim.bridge || name?.startsWith(`${claim.bridge}v`)
    if (isOurs === true) found.push(`network interface ${name}`)
  }
  const rules = await run(['iptables', '-w', '10', '-S'])
  for (const rule of rules.split('\n')) {
    if (rule.includes(` ${claim.bridge} `)) found.push(`rule ${rule}`)
  }
  const tables = await run(['nft', 'list', 'tables'])
  if (tables.split('\n').includes(`table inet bulkhead_test_${number}`)) found.push('a table that drops packets')
  found.push(...listCgroups(claim).map((path) => `control group ${path}`))
  if (existsSync(claim.directory)) found.push(`folder ${claim.directory}`)
  return found
}
