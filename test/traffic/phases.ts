import { setTimeout as delay } from 'node:timers/promises'

import { settled, type Stage } from './stage.ts'

/** Something that is done to the servers while clients use them. */
export interface Phase {
  readonly name: string
  run(stage: Stage, round: number): Promise<void>
}

/** Another image than in the round before. */
function imageOf({ images }: Stage, step: number): string {
  return images.server[step % images.server.length] ?? ''
}

let upgrades = 0
const nextImage = (stage: Stage): string => imageOf(stage, ++upgrades)
const sameImage = (stage: Stage): string => imageOf(stage, upgrades)

/** Applies an upgrade, waits until it is half-way, and does something then. */
async function halfWay(stage: Stage, act: () => Promise<void>): Promise<void> {
  const { cluster, document, replicas } = stage
  await cluster.run(['apply', '-f', '-'], document(nextImage(stage)))
  const { revision } = await cluster.service('prod', 'api')
  for (let tries = 0; tries < 600; tries++) {
    const instances = await cluster.instances('service=api&environment=prod')
    const updated = instances.filter((one) => one.revision === revision && one.health === 'healthy')
    if (updated.length >= replicas / 2) break
    await delay(50)
  }
  await act()
  await settled(stage)
}

const killedForMs = 4000
const restartedAfterMs = 200

/** `forMs`: until whatever looks after the machine's services has started it again. */
async function killAgentHalfWay(stage: Stage, host: number, forMs: number): Promise<void> {
  await halfWay(stage, async () => {
    stage.cluster.agent(host).kill('SIGKILL')
    await delay(forMs)
    await stage.cluster.startAgent(host)
  })
}

const paced = 'minHealthyTime: 500ms, progressDeadline: 120s'
const canary = `{ strategy: canary, maxSurge: 3, ${paced}, steps: [ { weight: 10, pause: 5s }, { weight: 50, pause: 5s }, { weight: 100 } ] }`
const blueGreen = `{ strategy: blue-green, keepOld: 5s, ${paced} }`

export const phases: readonly Phase[] = [
  {
    name: 'rolling upgrade',
    async run(stage) {
      await stage.apply(stage.document(nextImage(stage)))
    },
  },
  {
    name: 'canary upgrade',
    async run(stage) {
      await stage.apply(stage.document(nextImage(stage), { update: canary }), 180)
    },
  },
  {
    name: 'blue-green upgrade',
    async run(stage) {
      await stage.apply(stage.document(nextImage(stage), { update: blueGreen }), 180)
    },
  },
  {
    name: 'other services come and go',
    async run(stage) {
      const names = ['other-1', 'other-2', 'other-3']
      for (const name of names) {
        await stage.apply(stage.document(sameImage(stage), { name, replicas: '1' }))
      }
      for (const name of names) {
        await stage.cluster.run(['delete', 'service', name, '-e', 'prod'])
      }
      await settled(stage)
    },
  },
  {
    name: 'scale down and up',
    async run(stage) {
      await stage.apply(stage.document(sameImage(stage), { replicas: '3' }))
      await delay(1000)
      await stage.apply(stage.document(sameImage(stage)))
    },
  },
  {
    name: 'drain of a node',
    async run(stage, round) {
      const node = round % 2 === 0 ? 'host3' : 'host2'
      await stage.cluster.run(['node', 'drain', node, '--wait'])
      await stage.cluster.run(['node', 'uncordon', node])
      await settled(stage)
    },
  },
  {
    name: 'rolling upgrade, control plane killed half-way',
    async run(stage) {
      await halfWay(stage, async () => {
        stage.cluster.controlPlane().kill('SIGKILL')
        await delay(killedForMs)
        await stage.cluster.startControlPlane()
      })
    },
  },
  {
    name: 'rolling upgrade, an agent of the servers killed half-way',
    async run(stage) {
      await killAgentHalfWay(stage, 2, killedForMs)
    },
  },
  {
    name: 'rolling upgrade, the agent of the clients killed half-way',
    async run(stage) {
      // It answers their questions for names: they wait until it is back.
      await killAgentHalfWay(stage, 1, restartedAfterMs)
    },
  },
]
