/** One container as the engine last described it. Times are wall-clock milliseconds. */
export interface ContainerInfo {
  readonly id: string
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly state: 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead'
  readonly startedAtMs: number | null
  readonly finishedAtMs: number | null
  readonly exitCode: number | null
  readonly oomKilled: boolean
  /** What the engine said when it could not start it. */
  readonly error: string
  /** Address on its bridge; empty unless it runs, and as long as nobody has asked for it. */
  readonly address: string
  /** It runs, but on no network: somebody has disconnected it. */
  readonly isDetached: boolean
}

/** One that has just been created. */
export function newContainer(
  container: Pick<ContainerInfo, 'id' | 'name' | 'labels'>,
): ContainerInfo {
  return {
    ...container,
    state: 'created',
    startedAtMs: null,
    finishedAtMs: null,
    exitCode: null,
    oomKilled: false,
    error: '',
    address: '',
    isDetached: false,
  }
}

/** True while a process of the container may exist. */
export function isAlive(container: ContainerInfo): boolean {
  const { state } = container
  return state === 'running' || state === 'paused' || state === 'restarting'
}

/** True once the container has run and ended. */
export function hasEnded(container: ContainerInfo): boolean {
  return (
    container.state === 'exited' || container.state === 'dead' || container.state === 'removing'
  )
}
