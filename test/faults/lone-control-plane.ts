import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { waitFor } from '../engines/command.ts'

const launcher = fileURLToPath(new URL('../../bulkhead', import.meta.url))
const startTimeoutMs = 30_000

/** The built control plane as a process on loopback, without any agents. */
export interface LoneControlPlane {
  readonly url: string
  /** Resolves when it serves; throws with what it printed when it ends instead. */
  start(): Promise<void>
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>
  token(): string
  /** Resident memory of the process; throws when it is not alive. */
  residentBytes(): number
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/**
 * Keeps its data and configuration below `directory`; `more` is YAML that is added to the latter. Images are not
 * looked up anywhere.
 */
export async function loneControlPlane(directory: string, more = ''): Promise<LoneControlPlane> {
  const listen = `127.0.0.1:${await freePort()}`
  const url = `http://${listen}`
  const data = join(directory, 'data')
  const config = join(directory, 'controlplane.yaml')
  mkdirSync(directory, { recursive: true })
  writeFileSync(config, `images: { local: allow }\n${more}`)
  let child: ChildProcess | null = null
  return {
    url,
    token: () => /token: (\S+)/.exec(readFileSync(join(data, 'admin.yaml'), 'utf8'))?.[1] ?? '',
    residentBytes() {
      const status = readFileSync(`/proc/${child?.pid}/status`, 'utf8')
      const kib = /VmRSS:\s+(\d+) kB/.exec(status)?.[1]
      if (kib === undefined) throw new Error('the control plane is not alive')
      return Number(kib) * 1024
    },
    async start() {
      const argv = ['--pdeathsig', 'KILL', launcher, 'controlplane', '--data', data, '--listen', listen, '--config', config]
      const started = spawn('setpriv', argv, { stdio: ['ignore', 'ignore', 'pipe'] })
      child = started
      let errors = ''
      started.stderr.on('data', (text) => (errors = `${errors}${text}`.slice(-4000)))
      await waitFor('the control plane to serve', startTimeoutMs, async () => {
        if (started.exitCode !== null) throw new Error(`the control plane ended with ${started.exitCode}: ${errors}`)
        return (await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(1000) })).ok
      })
    },
    async kill() {
      if (child === null || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      child.kill('SIGKILL')
      await exited
    },
  }
}
