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

export const phases: readonly Phase[] = [
  {
    name: 'rolling upgrade',
    async run(stage) {
      await stage.apply(stage.document(nextImage(stage)))
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
      await halfWay(stage, async () => {
        stage.cluster.agent(2).kill('SIGKILL')
        await delay(killedForMs)
        await stage.cluster.startAgent(2)
      })
    },
  },
]
