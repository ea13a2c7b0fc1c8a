import { fileURLToPath } from 'node:url'

import { run } from '../engines/command.ts'
import type { HostProcess } from '../engines/host-process.ts'
import type { Host } from '../engines/host.ts'
import type { Hosts } from '../engines/hosts.ts'

/** Where something may listen. */
export interface Target {
  readonly name: string
  readonly url: string
}

const program = (name: string): string =>
  fileURLToPath(new URL(`programs/${name}.js`, import.meta.url))

const command = (targets: readonly Target[], from: string): readonly string[] => {
  const urls = JSON.stringify(targets.map(({ url }) => url))
  return [process.execPath, program('probe'), urls, from]
}

function namesOf(targets: readonly Target[], output: string): readonly string[] {
  const urls = new Set(JSON.parse(output) as string[])
  return targets.flatMap(({ name, url }) => (urls.has(url) ? [name] : [])).toSorted()
}

/** A command line with the host's programs and rights, but in the network of one of its containers. */
async function inContainer(
  host: Host,
  container: string,
  argv: readonly string[],
): Promise<readonly string[]> {
  const { State } = await host.docker.getContainer(container).inspect()
  return ['nsenter', '--target', `${State.Pid}`, '--net', ...argv]
}

export async function runInContainer(
  host: Host,
  container: string,
  argv: readonly string[],
): Promise<string> {
  return host.run(await inContainer(host, container, argv))
}

/** Asks again and again over one connection, from the network of a container; its output grows with each answer. */
export async function keepAsking(host: Host, container: string, url: string): Promise<HostProcess> {
  const argv = [process.execPath, program('keep-asking'), url]
  return host.exec(await inContainer(host, container, argv))
}

/** Tries them over and over from the network of a container, until it is ended. */
export async function keepTrying(
  host: Host,
  container: string,
  targets: readonly Target[],
): Promise<Trying> {
  const urls = JSON.stringify(targets.map(({ url }) => url))
  const argv = [process.execPath, program('try-again'), urls]
  return tryingOf(await host.exec(await inContainer(host, container, argv)), targets)
}

/** The same from outside all hosts. */
export function keepTryingOutside(hosts: Hosts, targets: readonly Target[]): Trying {
  const urls = JSON.stringify(targets.map(({ url }) => url))
  return tryingOf(hosts.exec([process.execPath, program('try-again'), urls]), targets)
}

/** Something that tries to reach targets again and again. */
export interface Trying {
  /** How often each has answered so far, by its name. */
  answers(): Readonly<Record<string, number>>
  hasBegun(): boolean
  end(): Promise<void>
}

function tryingOf(tries: HostProcess, targets: readonly Target[]): Trying {
  return {
    answers() {
      const lines = tries.output().split('\n')
      const count = (index: number): number => lines.filter((line) => line === String(index)).length
      return Object.fromEntries(targets.map(({ name }, index) => [name, count(index)]))
    },
    hasBegun: () => tries.output().includes('begun'),
    async end() {
      tries.kill('SIGKILL')
      await tries.exited
    },
  }
}

/** Names of the targets that answer a process with the network of a container, which may say where it comes from. */
export async function probeFromContainer(
  host: Host,
  container: string,
  targets: readonly Target[],
  from = '',
): Promise<readonly string[]> {
  return namesOf(targets, await runInContainer(host, container, command(targets, from)))
}

/** Names of the targets that answer the host itself. */
export async function probeFromHost(
  host: Host,
  targets: readonly Target[],
): Promise<readonly string[]> {
  return namesOf(targets, await host.run(command(targets, '')))
}

/** Names of the targets that answer us, outside all hosts. */
export async function probeFromOutside(targets: readonly Target[]): Promise<readonly string[]> {
  return namesOf(targets, await run(command(targets, '')))
}

/** Something of the host's own, or of the machine outside of all hosts, at all its addresses. */
export async function serveOn(machine: Pick<Host | Hosts, 'exec'>, port: number): Promise<void> {
  await machine.exec([process.execPath, program('serve'), String(port)])
}
