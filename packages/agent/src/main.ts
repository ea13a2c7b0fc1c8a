import { randomBytes, randomUUID } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'

import { BulkheadError, canonicalJson, systemClock } from '@bulkhead/shared'
import { type Logger, pino } from 'pino'

import { Agent } from './agent.ts'
import { listenHttp } from './discovery/listener.ts'
import { DetachedNames } from './dns/process/detached-names.ts'
import { namesDirectory } from './dns/process/names-process.ts'
import { findProgram } from './dns/process/program.ts'
import { DockerEngine } from './engine/docker-engine.ts'
import { LiveChecker } from './health/live-checker.ts'
import { FileStorage } from './journal/storage.ts'
import { whyNoIpv6 } from './network/ipv6.ts'
import type { Kernel } from './network/kernel.ts'
import { type Machine, thisMachine } from './network/machine.ts'
import { Nft } from './network/nft.ts'
import { chooseTable } from './network/table-name.ts'
import { findAddress } from './node/address.ts'
import { lockData } from './node/data-lock.ts'
import { nodeFacts, noProblems } from './node/facts.ts'
import { readIdentity, writeIdentity } from './node/identity.ts'
import { joinCluster } from './node/join.ts'
import type { AgentOptions } from './node/options.ts'
import type { Identity } from './node/schema.ts'
import { mergeSettings, readConfig, type Settings } from './node/settings.ts'
import { openProxy, type OpenedProxy } from './proxy/open-proxy.ts'
import { udpDatagrams } from './session/udp-datagrams.ts'
import { sessionUrl, wsTransport } from './session/ws-transport.ts'

const privateDirectory = 0o700
const random = (): number => randomBytes(4).readUInt32BE() / 2 ** 32

/**
 * Runs an agent until `signal` is aborted; containers run on after that. Throws a BulkheadError when it cannot
 * begin: the data directory is in use, the join is refused, the engine or the server do not answer.
 */
export async function runAgent(
  options: AgentOptions,
  signal: AbortSignal,
  deps: { readonly logger?: Logger; readonly kernel?: Kernel | null } = {},
): Promise<void> {
  await makeDirectory(options.data)
  const lock = await lockData(options.data)
  try {
    const known = await readIdentity(options.data)
    const settings = mergeSettings(options, await readConfig(options.config), known)
    const { logLevel: level } = settings.tuning
    const logger = deps.logger ?? pino({ level, base: { part: 'agent' } })
    const socketPath = settings.docker.slice('unix://'.length)
    const noIpv6 = await whyNoIpv6()
    const about = { socketPath, limits: settings.tuning, withIpv6: noIpv6 === '' }
    const engine = new DockerEngine({ clock: systemClock }, about)
    const { kernel = new Nft() } = deps
    const machine = kernel ? thisMachine(kernel) : null
    const unenforced = machine ? await machine.whyUnenforced() : 'it is not asked to'
    const identity = await establish(settings, known, engine, unenforced)
    logger.info({ node: identity.node, cluster: identity.cluster }, 'the agent begins')
    if (unenforced !== '') logger.warn({ reason: unenforced }, 'zones are not held by the kernel')
    if (noIpv6 !== '') logger.info({ reason: noIpv6 }, 'new bridges get no IPv6')
    const table = await chooseTable(identity)
    const proxy = await openProxy(settings.data, logger)
    const around = { engine, logger, kernel, machine, unenforced, table, proxy }
    await makeAgent(identity, settings, around).run(signal)
    logger.info('the agent ends; containers run on')
  } finally {
    await lock.release()
  }
}

async function makeDirectory(data: string): Promise<void> {
  try {
    await mkdir(data, { recursive: true, mode: privateDirectory })
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new BulkheadError('bad-usage', `--data ${data}: ${why}`, 'name a directory to write in')
  }
}

/** Joins unless that was done before; remembers what it was started with. */
async function establish(
  settings: Settings,
  known: Identity | null,
  engine: DockerEngine,
  unenforced: string,
): Promise<Identity> {
  const { server, joinToken, name } = settings
  if (server === null || (known === null && (joinToken === null || name === null))) {
    throw new BulkheadError(
      'bad-usage',
      `${settings.data} is of no agent that has joined`,
      'say --server URL --token TOKEN --name NAME',
    )
  }
  const address = settings.address ?? (await findAddress())
  if (address === null) {
    const advice = 'say --address IP'
    throw new BulkheadError('bad-usage', 'no address of this machine was found', advice)
  }
  const lasting = {
    server,
    zones: [...settings.zones],
    environments: [...settings.environments],
    labels: { ...settings.labels },
    host: settings.host ?? name ?? '',
    docker: settings.docker,
    address,
  }
  const joined = known ?? (await joinWith(settings, lasting, engine, unenforced))
  const { token, node, cluster } = joined
  const identity: Identity = { ...lasting, token, node, cluster }
  // An agent begins on a disk that is full, too, as long as nothing about it is new.
  if (canonicalJson(known) !== canonicalJson(identity)) await writeIdentity(settings.data, identity)
  return identity
}

type Lasting = Omit<Identity, 'token' | 'node' | 'cluster'>

async function joinWith(
  settings: Settings,
  lasting: Lasting,
  engine: DockerEngine,
  unenforced: string,
): Promise<Pick<Identity, 'token' | 'node' | 'cluster'>> {
  const report = await engine.facts().catch((error: unknown) => {
    const why = error instanceof Error ? error.message : String(error)
    const advice = 'start the engine, or say --docker unix:///PATH'
    throw new BulkheadError('unreachable', `the engine at ${lasting.docker}: ${why}`, advice)
  })
  return joinCluster({
    server: lasting.server,
    joinToken: settings.joinToken ?? '',
    name: settings.name ?? '',
    facts: nodeFacts(lasting, report, { ...noProblems, zones: unenforced }),
  })
}

interface Around {
  readonly engine: DockerEngine
  readonly logger: Logger
  readonly kernel: Kernel | null
  readonly machine: Machine | null
  readonly unenforced: string
  readonly table: string
  readonly proxy: OpenedProxy
}

function makeAgent(identity: Identity, settings: Settings, around: Around): Agent {
  const { engine, logger, kernel, machine, unenforced, table, proxy } = around
  return new Agent(
    {
      clock: systemClock,
      random,
      logger,
      engine,
      checker: new LiveChecker({ engine }),
      transport: wsTransport,
      datagrams: udpDatagrams,
      storage: new FileStorage(join(settings.data, 'journal')),
      listen: listenHttp,
      names: new DetachedNames(
        { clock: systemClock, logger, program: findProgram },
        namesDirectory(settings.data),
      ),
      servesAddresses: proxy.isServing,
      consumers: [],
      kernel,
      machine,
      proxy: proxy.deps,
    },
    {
      identity,
      url: sessionUrl(identity.server),
      token: identity.token,
      bootId: randomUUID(),
      address: identity.address,
      facts: (report, problems) => nodeFacts(identity, report, problems, proxy.facts),
      table,
      unenforced,
      ...settings.tuning,
    },
  )
}
