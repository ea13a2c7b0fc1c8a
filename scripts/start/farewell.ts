import { ask, exampleNode } from './engine.ts'

/** What of the example an engine still has. */
export interface Leftovers {
  readonly containers: readonly string[]
  readonly networks: readonly string[]
  readonly images: readonly string[]
}

const demoImage = /^bulkhead-demo\//

async function listed<T>(socket: string, path: string): Promise<readonly T[] | null> {
  const answer = await ask(socket, path)
  return answer?.status === 200 ? (JSON.parse(answer.body) as readonly T[]) : null
}

/** Asks an engine that goes on what it still has. */
export async function findLeftovers(socket: string): Promise<Leftovers | 'unknown'> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`bulkhead.node=${exampleNode}`] }))
  const [containers, networks, images] = await Promise.all([
    listed<{ Names: string[] }>(socket, `/containers/json?all=true&filters=${filters}`),
    listed<{ Name: string }>(socket, `/networks?filters=${filters}`),
    listed<{ RepoTags: string[] | null }>(socket, '/images/json'),
  ])
  if (containers === null || networks === null || images === null) return 'unknown'
  return {
    containers: containers.map(({ Names: [name = ''] }) => name.replace(/^\//, '')),
    networks: networks.map(({ Name }) => Name),
    images: images
      .flatMap(({ RepoTags }) => RepoTags ?? [])
      .filter((tag) => demoImage.test(tag))
      .toSorted(),
  }
}

/**
 * How it ended: `left` is null when the engine was started for the example and has gone with everything in it, and
 * `unknown` when another one did not say.
 */
export interface Ending {
  readonly directory: string
  readonly directoryGone: boolean
  readonly keptLogs: boolean
  /** Something could not be ended, and was told. */
  readonly failed: boolean
  readonly socket: string
  readonly left: Leftovers | 'unknown' | null
}

/** The last lines: what is gone, what is left, and how to be rid of that. */
export function farewell(ending: Ending): string {
  const { directory, directoryGone, keptLogs, failed, socket } = ending
  const isUnknown = ending.left === 'unknown'
  const left = ending.left === 'unknown' ? null : ending.left
  const goesOn = isUnknown || (left?.containers.length ?? 0) + (left?.networks.length ?? 0) > 0
  const gone = [
    ...(goesOn ? [] : ["the example's containers and networks"]),
    ...(failed ? [] : ['the agent, its proxy and name server', 'the control plane']),
    ...(ending.left === null ? ['the Docker engine that was started here'] : []),
    ...(directoryGone || keptLogs ? [`the data in ${directory}`] : []),
  ]
  const end = failed ? 'stopped, but for what is told above' : 'stopped'
  const lines = [`${end}. Gone: ${gone.join(', ')}`]
  if (keptLogs) lines.push(`Left: the logs in ${directory}`)
  else if (!directoryGone)
    lines.push(`Left: ${directory} could not be removed as a whole; remove it by hand`)
  const docker = `docker -H unix://${socket}`
  if (isUnknown)
    lines.push(
      `Left: perhaps containers and networks, because the engine does not answer; to see them when it does: ${docker} ps -a --filter label=bulkhead.node=${exampleNode}`,
    )
  const still = (what: string, names: readonly string[], how: string): void => {
    if (names.length > 0)
      lines.push(
        `Left: ${what} ${names.join(', ')}; to remove them: ${docker} ${how} ${names.join(' ')}`,
      )
  }
  still('containers', left?.containers ?? [], 'rm -f')
  still('networks', left?.networks ?? [], 'network rm')
  still('images', left?.images ?? [], 'rmi')
  lines.push('Left: what was installed and built, for the next time (packages, node_modules, dist)')
  return lines.join('\n')
}
