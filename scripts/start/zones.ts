import { spawnSync } from 'node:child_process'

const path = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`

/** Why this machine's kernel cannot hold zones apart; null when it can, as far as can be seen from here. */
export function whyUnheld(): string | null {
  const { error, status, stderr } = spawnSync('nft', ['list', 'tables'], {
    env: { ...process.env, PATH: path },
    encoding: 'utf8',
  })
  if (error) return 'there is no nft (install the package nftables)'
  return status === 0 ? null : `nft: ${stderr.trim().split('\n')[0]}`
}
