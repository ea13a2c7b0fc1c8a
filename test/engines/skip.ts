import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

const programs = [
  'dockerd',
  'containerd',
  'runc',
  'iptables',
  'nft',
  'ip',
  'unshare',
  'nsenter',
  'setpriv',
  'busybox',
  'docker-registry',
  'dig',
]
const tryTimeoutMs = 10_000

function isInstalled(program: string): boolean {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

/** Says why real engines in namespaces cannot run here, or undefined when they can. */
export function whyNotEngines(): string | undefined {
  if (process.platform !== 'linux') return 'real engines in namespaces need Linux'
  if (process.getuid?.() !== 0) return 'real engines need root'
  const missing = programs.filter((program) => !isInstalled(program))
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`
  const namespaces = ['--mount', '--net', '--pid', '--uts', '--fork', '--mount-proc']
  const tried = spawnSync('unshare', [...namespaces, 'true'], { timeout: tryTimeoutMs })
  if (tried.status !== 0) return `no namespaces: ${tried.stderr.toString().trim()}`
  try {
    accessSync('/sys/fs/cgroup', constants.W_OK)
  } catch {
    return 'control groups cannot be written'
  }
  return undefined
}
