import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'

import { startCluster, type Cluster } from '../cluster/cluster.ts'
import { running, witness } from '../cluster/witness.ts'
import { waitFor } from '../engines/command.ts'
import { pull } from '../engines/containers.ts'
import { whyNotEngines } from '../engines/skip.ts'
import { cpuPercent, nodeProcess, residentMiB } from './footprint.ts'
import { deployRaw, payloadOf, removeRaw } from './raw.ts'
import { createToRunning, killToRunning } from './recovery.ts'
import { timeToStarts } from './starts.ts'
import { median, spread, timed } from './stats.ts'
import { createSwarmService, deploySwarm, leaveSwarm, removeSwarm, startSwarm, waitElsewhere, waitForTasks, type Swarm } from './swarm.ts'

// Bulkhead beside the raw engine API and Docker Swarm: same machine, same engines, same run.

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    counts: { type: 'string', default: '30,90' },
    only: { type: 'string', default: 'deploy,kill,loss,footprint,start' },
    kills: { type: 'string', default: '15' },
    idle: { type: 'string', default: '20' },
    output: { type: 'string' },
  },
})
const runs = Number(values.runs)
const counts = values.counts.split(',').map(Number)
const timeoutMs = 180_000

const lines: string[] = []
const tell = (line: string): void => {
  lines.push(line)
  process.stdout.write(`${line}\n`)
}
const progress = (text: string): void => void process.stderr.write(`… ${text}\n`)

const spec = (image: string, replicas: number): string => `
apiVersion: bulkhead/v1
kind: Service
name: bench
zone: application
image: ${image}
replicas: ${replicas}
resources: { cpu: 0.05, memory: 16Mi }
stop: { drain: 0, grace: 1s }
restart: { delay: 100ms, resetAfter: 1s }
update: { minHealthyTime: 0 }
`

async function applyBench(cluster: Cluster, image: string, replicas: number): Promise<void> {
  await cluster.run(['apply', '-f', '-'], spec(image, replicas))
}

async function deployBulkhead(cluster: Cluster, image: string, replicas: number): Promise<void> {
  await applyBench(cluster, image, replicas)
  await settled(cluster, replicas)
}

async function settled(cluster: Cluster, replicas: number): Promise<void> {
  await waitFor(`${replicas} instances`, timeoutMs, async () => {
    const { replicas: now } = await cluster.service('default', 'bench')
    return now.running === replicas
  })
}

async function removeBulkhead(cluster: Cluster): Promise<void> {
  await cluster.run(['delete', 'service', 'bench'])
  await waitFor('the containers to go', timeoutMs, async () => (await witness(cluster.hosts.hosts)).length === 0)
}

/** The three contenders take turns, so that what else the machine does hits all of them. */
async function benchDeploy(cluster: Cluster, image: string): Promise<void> {
  const { hosts } = cluster.hosts
  await deployBulkhead(cluster, image, 3)
  const [sample] = running(await witness(hosts))
  const payload = await payloadOf(cluster.hosts.host(1), sampleOn(await witness(hosts), 'host1') ?? sample?.id ?? '')
  await removeBulkhead(cluster)
  for (const count of counts) {
    const raw: number[] = []
    const bulkhead: number[] = []
    const swarmed: number[] = []
    for (let run = 1; run <= runs; run++) {
      progress(`${count} containers, run ${run} of ${runs}: raw`)
      raw.push(await timeToStarts(hosts, count, timeoutMs, () => deployRaw(hosts, count, payload)))
      await removeRaw(hosts)
      progress(`${count} containers, run ${run} of ${runs}: Bulkhead`)
      bulkhead.push(await timeToStarts(hosts, count, timeoutMs, () => applyBench(cluster, image, count)))
      await settled(cluster, count)
      await removeBulkhead(cluster)
      progress(`${count} containers, run ${run} of ${runs}: Swarm`)
      await withSwarm(cluster, async (swarm) => {
        // Its network is made on a node with the first container; the others' is there.
        await deploySwarm(swarm, image, hosts.length)
        await removeSwarm(swarm)
        swarmed.push(await timeToStarts(hosts, count, timeoutMs, () => createSwarmService(swarm, image, count)))
        await waitForTasks(swarm, count)
        await removeSwarm(swarm)
      })
    }
    const ratio = median(bulkhead) / median(raw)
    tell(`| ${count} containers deployed, s | ${spread(raw)} | ${spread(bulkhead)} | ${spread(swarmed)} | ${ratio.toFixed(2)} × raw |`)
  }
}

const sampleOn = (containers: Awaited<ReturnType<typeof witness>>, host: string): string | undefined =>
  containers.find((container) => container.host === host && container.state === 'running')?.id

async function withSwarm(cluster: Cluster, work: (swarm: Swarm) => Promise<void>): Promise<void> {
  const swarm = await startSwarm(cluster.hosts.hosts)
  try {
    await work(swarm)
  } finally {
    await leaveSwarm(swarm)
  }
}

async function benchKill(cluster: Cluster, image: string): Promise<void> {
  const kills = Number(values.kills)
  const { hosts } = cluster.hosts
  const host = cluster.hosts.host(1)
  const raw: number[] = []
  const bulkhead: number[] = []
  await deployBulkhead(cluster, image, 6)
  await waitPrepared(cluster)
  const payload = await payloadOf(host, sampleOn(await witness([host]), host.name) ?? '')
  for (let count = 0; count < kills; count++) {
    const victim = running(await witness([host]))[count % 2]
    if (!victim) break
    // In turns, beside the same containers on the same engine.
    raw.push(await createToRunning(host, payload, 'bulkhead-bench=raw'))
    bulkhead.push(await killToRunning(hosts, host, victim.id, `bulkhead.slot=${victim.slot}`))
    await waitPrepared(cluster)
  }
  await removeBulkhead(cluster)
  const swarmed: number[] = []
  await withSwarm(cluster, async (swarm) => {
    await deploySwarm(swarm, image, 6)
    for (let count = 0; count < kills; count++) {
      const label = 'com.docker.swarm.service.name=bench'
      // It may have started the successor on another host.
      const home = hosts[count % hosts.length] ?? host
      const [victim] = await home.docker.listContainers({ filters: { label: [label] } })
      if (!victim) continue
      swarmed.push(await killToRunning(hosts, home, victim.Id, label))
      await delay(2000)
      await waitForTasks(swarm, 6)
    }
    await removeSwarm(swarm)
  })
  const ratio = median(bulkhead) / median(raw)
  tell(`| kill to running again; raw: create and start, s | ${spread(raw)} | ${spread(bulkhead)} | ${spread(swarmed)} | ${ratio.toFixed(2)} × raw |`)
}

/** Successors are created a while after the start; a second crash within that time is answered without one. */
async function waitPrepared(cluster: Cluster): Promise<void> {
  await waitFor('the successors to be prepared', 30_000, async () => {
    const containers = await witness(cluster.hosts.hosts)
    return running(containers).length === 6 && containers.filter(({ state }) => state === 'created').length === 6
  })
}

async function benchHostLoss(cluster: Cluster, image: string): Promise<void> {
  const replicas = 9
  const host = cluster.hosts.host(3)
  const bulkhead: number[] = []
  const swarmed: number[] = []
  for (let run = 1; run <= runs; run++) {
    progress(`host loss, run ${run} of ${runs}`)
    await deployBulkhead(cluster, image, replicas)
    bulkhead.push(
      await timed(async () => {
        await host.cut()
        await waitFor('everything to run elsewhere', timeoutMs, async () => {
          const instances = await cluster.instances('service=bench&environment=default')
          return instances.filter(({ node, state }) => node !== host.name && state === 'running').length === replicas
        })
      }),
    )
    await host.restore()
    await waitFor('the node to be back', timeoutMs, async () => (await cluster.nodes()).every(({ state }) => state === 'ready'))
    await removeBulkhead(cluster)
    await withSwarm(cluster, async (swarm) => {
      await deploySwarm(swarm, image, replicas)
      swarmed.push(
        await timed(async () => {
          await host.cut()
          await waitElsewhere(swarm, host, replicas)
        }),
      )
      await host.restore()
      await waitFor('the swarm to see its node again', timeoutMs, async () => {
        const nodes = (await swarm.manager.docker.listNodes()) as { Status: { State: string } }[]
        return nodes.every(({ Status }) => Status.State === 'ready')
      })
      await removeSwarm(swarm)
    })
  }
  tell(`| host cut off to everything running elsewhere, s | – | ${spread(bulkhead)} | ${spread(swarmed)} | |`)
}

async function benchFootprint(cluster: Cluster, image: string): Promise<void> {
  await deployBulkhead(cluster, image, 90)
  progress('resting before memory and idle CPU are read')
  await waitFor('the successors to be prepared', timeoutMs, async () =>
    (await witness(cluster.hosts.hosts)).filter(({ state }) => state === 'created').length >= 90,
  )
  const controlPlane = nodeProcess(cluster.controlPlane().pid)
  const agent = nodeProcess(cluster.agent(1).pid)
  const idleMs = Number(values.idle) * 1000
  const [controlPlaneCpu, agentCpu] = await Promise.all([cpuPercent(controlPlane, idleMs), cpuPercent(agent, idleMs)])
  tell('')
  tell('| footprint, 90 instances on 3 nodes | resident MiB | idle CPU, % of a core |')
  tell('| --- | --- | --- |')
  tell(`| control plane | ${residentMiB(controlPlane).toFixed(0)} | ${controlPlaneCpu.toFixed(1)} |`)
  tell(`| agent (30 instances) | ${residentMiB(agent).toFixed(0)} | ${agentCpu.toFixed(1)} |`)
  await removeBulkhead(cluster)
}

/** Start of a process to its end, medians of many runs that take turns: alone, and with a question to its server. */
function benchStart(cluster: Cluster): void {
  const env = {
    ...process.env,
    BULKHEAD_CONTEXT: cluster.context,
    DOCKER_HOST: `unix://${cluster.hosts.host(1).socket}`,
  }
  const time = ([command = '', ...argv]: readonly string[]): number => {
    const since = performance.now()
    const { status } = spawnSync(command, argv, { stdio: 'ignore', env })
    if (status !== 0) throw new Error(`${command} ${argv.join(' ')} ended with ${status}`)
    return performance.now() - since
  }
  const launcher = new URL('../../bulkhead', import.meta.url).pathname
  tell('')
  tell('| command line, start to end | Bulkhead, ms | docker, ms | ratio |')
  tell('| --- | --- | --- | --- |')
  for (const [ours, theirs] of [
    [['--version'], ['--version']],
    [['get', 'services'], ['ps']],
  ] as const) {
    const samples: [number[], number[]] = [[], []]
    for (let count = 0; count < 30; count++) {
      samples[0].push(time([launcher, ...ours]))
      samples[1].push(time(['docker', ...theirs]))
    }
    const [bulkhead = Number.NaN, docker = Number.NaN] = samples.map((list) => median(list))
    const what = `\`bulkhead ${ours.join(' ')}\`, \`docker ${theirs.join(' ')}\``
    tell(`| ${what} | ${bulkhead.toFixed(0)} | ${docker.toFixed(0)} | ${(bulkhead / docker).toFixed(2)} |`)
  }
}

function demandPart<T>(parts: Readonly<Record<string, T>>, name: string): T {
  const part = parts[name]
  if (part === undefined) throw new Error(`--only ${name}: there are ${Object.keys(parts).join(', ')}`)
  return part
}

async function main(): Promise<void> {
  const reason = whyNotEngines()
  if (reason !== undefined) throw new Error(`the benchmark needs real engines: ${reason}`)
  const zones = ['application']
  await using cluster = await startCluster({ agents: [{ zones }, { zones }, { zones }] })
  const image = cluster.hosts.images.idle
  // Images are there beforehand: what is measured is orchestration, not the network.
  await Promise.all(cluster.hosts.hosts.map(({ docker }) => pull(docker, image)))
  tell(`${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB, ${runs} runs; median (lowest–highest).`)
  tell('')
  tell('| | raw engine API | Bulkhead | Docker Swarm | |')
  tell('| --- | --- | --- | --- | --- |')
  const parts: Readonly<Record<string, () => void | Promise<void>>> = {
    deploy: () => benchDeploy(cluster, image),
    kill: () => benchKill(cluster, image),
    loss: () => benchHostLoss(cluster, image),
    footprint: () => benchFootprint(cluster, image),
    start: () => benchStart(cluster),
  }
  for (const part of values.only.split(',')) await demandPart(parts, part)()
  if (values.output !== undefined) writeFileSync(values.output, `${lines.join('\n')}\n`)
}

await main()
