import type { Host } from '../engines/host.ts'

/** A container of ours as the engine itself tells, not the control plane. */
export interface Witnessed {
  readonly id: string
  readonly instance: string
  readonly service: string
  readonly slot: number
  readonly host: string
  readonly state: string
  readonly pid: number
}

/** All containers on the hosts' engines that bear our labels, whatever their state. */
export async function witness(hosts: readonly Host[]): Promise<Witnessed[]> {
  const found = await Promise.all(
    hosts.map(async (host) => {
      const containers = await host.docker.listContainers({ all: true, filters: { label: ['bulkhead.instance'] } })
      return containers.map(({ Id, Labels, State }) => ({
        id: Id,
        instance: Labels['bulkhead.instance'] ?? '',
        service: Labels['bulkhead.service'] ?? '',
        slot: Number(Labels['bulkhead.slot']),
        host: host.name,
        state: State,
        pid: 0,
      }))
    }),
  )
  return found.flat()
}

export const running = (containers: readonly Witnessed[]): Witnessed[] =>
  containers.filter(({ state }) => state === 'running')

/** Kills the first process of a container as a crash would: past the engine, which learns of it afterwards. */
export async function crash(host: Host, containerId: string): Promise<void> {
  const { State } = await host.docker.getContainer(containerId).inspect()
  // It may have ended since it was listed.
  if (State.Pid > 0) await host.run(['sh', '-c', `kill -9 ${State.Pid} || true`])
}
