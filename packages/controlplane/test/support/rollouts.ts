import type { ServiceSource } from '@bulkhead/shared'

import { Scene } from './scene.ts'

export type Update = NonNullable<ServiceSource['update']>

/** A cluster at rest in which the service `web` runs its first revision. */
export function running(replicas: number, nodes: number, update: Update): Scene {
  const scene = new Scene(...Array.from({ length: nodes }, (_, index) => `n${index + 1}`))
  scene.apply({ name: 'web', replicas, ports: { http: 80 }, update })
  scene.rest()
  return scene
}

/** Agents, reconciler and time in turns, for about so long. */
export function run(scene: Scene, forMs: number): void {
  const endMs = scene.state.nowMs + forMs
  while (scene.state.nowMs < endMs) {
    scene.settle()
    scene.agents()
    scene.settle()
    scene.wait(1000)
  }
  scene.settle()
}

/** Live instances by revision. */
export function counts(scene: Scene): Readonly<Record<number, number>> {
  const found: Record<number, number> = {}
  for (const { revision } of scene.live()) found[revision] = (found[revision] ?? 0) + 1
  return found
}
