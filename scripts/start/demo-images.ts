import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'

import type Docker from 'dockerode'

import { createArchive, createImage, createLayer, type Image } from '../image/image.ts'
import { createNodeLayer } from '../image/node-layer.ts'
import type { TarEntry } from '../image/tar.ts'

const repository = 'bulkhead-demo/shop'
const versions = ['1', '2'] as const
const contentLabel = 'bulkhead.demo.content'
const loadTimeoutMs = 120_000

const programs = new URL('../../specs/shop/programs/', import.meta.url)

// The package belongs to the agent; this must speak to the engine with the same one.
const agentRequire = createRequire(new URL('../../packages/agent/package.json', import.meta.url))
const DockerClient = agentRequire('dockerode') as typeof Docker

async function createProgramEntries(): Promise<readonly TarEntry[]> {
  const names = (await readdir(programs)).toSorted()
  const files = names.map(async (name): Promise<TarEntry> => ({
    kind: 'file',
    path: `app/${name}`,
    data: await readFile(new URL(name, programs)),
  }))
  const manifest = Buffer.from('{"type":"module"}\n')
  return [{ kind: 'file', path: 'app/package.json', data: manifest }, ...(await Promise.all(files))]
}

/** Makes the images of the example shop, by repository and tag, without any download. */
export async function createDemoImages(): Promise<Readonly<Record<string, Image>>> {
  const layers = [await createNodeLayer(), createLayer(await createProgramEntries())]
  const content = createHash('sha256')
  for (const layer of layers) content.update(layer.digest)
  const labels = { [contentLabel]: content.digest('hex') }
  const images = versions.map((version) => {
    const image = createImage(layers, {
      command: ['/bin/node', '/app/web.js'],
      env: { SHOP_VERSION: version },
      user: '1000:1000',
      ports: [8080],
      labels: { ...labels, 'org.opencontainers.image.version': version },
    })
    return [`${repository}:${version}`, image] as const
  })
  return Object.fromEntries(images)
}

async function hasImage(docker: Docker, name: string, image: Image): Promise<boolean> {
  const wanted = JSON.parse(image.config.data.toString()) as {
    config: { Labels: Record<string, string> }
  }
  try {
    const { Config } = await docker.getImage(name).inspect()
    return Config.Labels?.[contentLabel] === wanted.config.Labels[contentLabel]
  } catch {
    return false
  }
}

/**
 * Loads the images of the example shop into the engine at a socket, unless it has them, and
 * returns their names.
 */
export async function loadDemoImages(socketPath: string): Promise<readonly string[]> {
  const docker = new DockerClient({ socketPath, timeout: loadTimeoutMs })
  const images = await createDemoImages()
  const entries = Object.entries(images)
  const present = await Promise.all(entries.map(([name, image]) => hasImage(docker, name, image)))
  if (!present.every(Boolean)) {
    const answer = await docker.loadImage(Readable.from([createArchive(images)]))
    let text = ''
    for await (const chunk of answer) text += chunk.toString()
    for (const [name, image] of entries) {
      if (!(await hasImage(docker, name, image))) {
        throw new Error(`the engine at ${socketPath} did not load ${name}: ${text.trim()}`)
      }
    }
  }
  return entries.map(([name]) => name)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = await loadDemoImages(process.argv[2] ?? '/var/run/docker.sock')
  process.stdout.write(`${names.join('\n')}\n`)
}
