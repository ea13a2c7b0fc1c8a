import { fileURLToPath } from 'node:url'

import { build } from 'esbuild'

import { createImage, createLayer, type Blob } from '../../scripts/image/image.ts'
import { createNodeLayer } from '../../scripts/image/node-layer.ts'
import type { Registry } from '../engines/registry.ts'

export interface TrafficImages {
  /** Versions that work. */
  readonly server: readonly string[]
  /** Answers a part of all requests with errors, though its probes are well. */
  readonly erroneous: string
  readonly load: string
  /** Watches how a service resolves and who answers for it. */
  readonly watch: string
}

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

async function layerOf(program: string): Promise<Blob> {
  const { outputFiles } = await build({
    entryPoints: [here(`programs/${program}.ts`)],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    write: false,
    alias: { ws: here('../../packages/agent/node_modules/ws') },
  })
  const [output] = outputFiles
  const data = Buffer.from(output?.contents ?? [])
  return createLayer([{ kind: 'file', path: `app/${program}.cjs`, data }])
}

/** Makes the images of the servers and of their clients and uploads them. */
export async function publishTrafficImages(registry: Registry): Promise<TrafficImages> {
  const node = await createNodeLayer()
  const programs = ['server', 'load', 'watch'].map((program) => layerOf(program))
  const [server, load, watch] = (await Promise.all(programs)) as [Blob, Blob, Blob]
  const push = (layer: Blob, program: string, tag: string, env: Record<string, string> = {}) =>
    registry.push(
      createImage([node, layer], { command: ['/bin/node', `/app/${program}.cjs`], env, ports: [8080] }),
      `test/${program}:${tag}`,
    )
  const versions = ['1', '2', '3']
  return {
    server: await Promise.all(versions.map((tag) => push(server, 'server', tag, { VERSION: tag }))),
    erroneous: await push(server, 'server', 'erroneous', { VERSION: 'bad', ERROR_PERCENT: '30' }),
    load: await push(load, 'load', '1'),
    watch: await push(watch, 'watch', '1'),
  }
}
