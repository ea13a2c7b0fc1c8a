import { fileURLToPath } from 'node:url'

import { run } from '../engines/command.ts'
import type { HostProcess } from '../engines/host-process.ts'
import type { Host } from '../engines/host.ts'

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

/** Something of the host's own, at all its addresses. */
export async function serveOnHost(host: Host, port: number): Promise<void> {
  await host.exec([process.execPath, program('serve'), String(port)])
}
