import { createHash } from 'node:crypto'

import { createTar, type TarEntry } from './tar.ts'

/** A content-addressed piece of an image, as registries and engines exchange it. */
export interface Blob {
  readonly digest: string
  readonly data: Buffer
}

/** What a container of the image runs, unless told otherwise. */
export interface ImageConfig {
  readonly command: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  readonly user?: string
  readonly workingDirectory?: string
  readonly ports?: readonly number[]
  readonly labels?: Readonly<Record<string, string>>
}

/** An image made in memory: no engine and no download took part. */
export interface Image {
  readonly config: Blob
  readonly layers: readonly Blob[]
}

const architectures: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' }

/** Names bytes by their SHA-256. */
export function createBlob(data: Buffer): Blob {
  return { digest: `sha256:${createHash('sha256').update(data).digest('hex')}`, data }
}

/** Makes an uncompressed layer. */
export function createLayer(entries: readonly TarEntry[]): Blob {
  return createBlob(createTar(entries))
}

/** Makes an image of layers, lowest first, for this machine's architecture. */
export function createImage(layers: readonly Blob[], config: ImageConfig): Image {
  const document = {
    architecture: architectures[process.arch] ?? process.arch,
    os: 'linux',
    created: '1970-01-01T00:00:00Z',
    config: {
      Cmd: config.command,
      Env: Object.entries({ PATH: '/bin', ...config.env }).map(([key, value]) => `${key}=${value}`),
      User: config.user ?? '',
      WorkingDir: config.workingDirectory ?? '/',
      Labels: config.labels ?? {},
      ExposedPorts: Object.fromEntries((config.ports ?? []).map((port) => [`${port}/tcp`, {}])),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    history: layers.map(() => ({ created: '1970-01-01T00:00:00Z' })),
  }
  return { config: createBlob(Buffer.from(JSON.stringify(document))), layers }
}

function fileOf(blob: Blob): string {
  return blob.digest.replace('sha256:', '')
}

/** Packs images, by the name and tag that each is to have, for `docker load`. */
export function createArchive(images: Readonly<Record<string, Image>>): Buffer {
  const files = new Map<string, Buffer>()
  const manifest = Object.entries(images).map(([name, { config, layers }]) => {
    files.set(`${fileOf(config)}.json`, config.data)
    for (const layer of layers) files.set(`${fileOf(layer)}.tar`, layer.data)
    return {
      Config: `${fileOf(config)}.json`,
      RepoTags: [name],
      Layers: layers.map((layer) => `${fileOf(layer)}.tar`),
    }
  })
  files.set('manifest.json', Buffer.from(JSON.stringify(manifest)))
  return createTar([...files].map(([path, data]) => ({ kind: 'file', path, data })))
}
