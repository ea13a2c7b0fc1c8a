import { readFile } from 'node:fs/promises'

import { type Blob, createImage, createLayer, type Image } from '../../scripts/image/image.ts'
import { createNodeLayer, librariesOf, skeleton } from '../../scripts/image/node-layer.ts'
import type { TarEntry } from '../../scripts/image/tar.ts'
import { run } from './command.ts'
import type { Registry } from './registry.ts'

/** Full names of the images for tests; all of them serve HTTP on port 8080 unless said otherwise. */
export interface TestImages {
  /** BusyBox that does nothing until SIGTERM: for load, where what runs does not matter. */
  readonly idle: string
  /** BusyBox with an HTTP server (/healthz, /cgi-bin/who), versions 1 to 3. 2 MB. */
  readonly serve: readonly [string, string, string]
  /** Node.js with programs/echo.js (/healthz, /who, /fail, /slow …), versions 1 to 3. 126 MB. */
  readonly echo: readonly [string, string, string]
  /** Starts and ends at once with exit code 1. */
  readonly broken: string
  /** Starts, but never gets healthy. */
  readonly unhealthy: string
}

const versions = ['1', '2', '3'] as const

async function program(name: string): Promise<Buffer> {
  return readFile(new URL(`programs/${name}`, import.meta.url))
}

function executable(path: string, data: Buffer): TarEntry {
  return { kind: 'file', path, mode: 0o755, data }
}

async function createBusyboxLayer(): Promise<Blob> {
  const busybox = (await run(['sh', '-c', 'command -v busybox'])).trim()
  const applets = (await run([busybox, '--list'])).trim().split('\n')
  const links = applets
    .filter((applet) => applet !== 'busybox')
    .map((applet): TarEntry => ({ kind: 'link', path: `bin/${applet}`, target: 'busybox' }))
  const libraries = await librariesOf(busybox)
  const files = [busybox, ...libraries].map(async (path) =>
    executable(path === busybox ? 'bin/busybox' : path.slice(1), await readFile(path)),
  )
  return createLayer([
    ...skeleton(['www/cgi-bin/who', ...libraries.map((path) => path.slice(1))]),
    ...(await Promise.all(files)),
    ...links,
    executable('bin/serve', await program('serve.sh')),
    executable('bin/idle', await program('idle.sh')),
    executable('www/cgi-bin/who', await program('who.sh')),
    { kind: 'file', path: 'www/healthz', data: Buffer.from('ok\n') },
  ])
}

async function createEchoLayer(): Promise<Blob> {
  return createLayer([
    { kind: 'file', path: 'app/package.json', data: Buffer.from('{"type":"module"}\n') },
    { kind: 'file', path: 'app/echo.js', data: await program('echo.js') },
  ])
}

/** Makes the images for tests, by repository and tag, without any download. */
export async function createTestImages(): Promise<ReadonlyMap<string, Image>> {
  const busybox = await createBusyboxLayer()
  const node = [await createNodeLayer(), await createEchoLayer()]
  const ports = [8080]
  const images = new Map<string, Image>()
  const echo = ['/bin/node', '/app/echo.js']
  images.set('test/busybox:idle', createImage([busybox], { command: ['/bin/idle'] }))
  images.set('test/busybox:broken', createImage([busybox], { command: ['/bin/false'] }))
  for (const version of versions) {
    const env = { VERSION: version }
    const serve = createImage([busybox], { command: ['/bin/serve'], env, ports })
    images.set(`test/serve:${version}`, serve)
    images.set(`test/echo:${version}`, createImage(node, { command: echo, env, ports }))
  }
  const never = { VERSION: 'unhealthy', HEALTHY_AFTER_MS: '1e12' }
  images.set('test/echo:unhealthy', createImage(node, { command: echo, env: never, ports }))
  return images
}

/** Makes the images for tests, uploads them and returns their names. */
export async function publishTestImages(registry: Registry): Promise<TestImages> {
  for (const [name, image] of await createTestImages()) await registry.push(image, name)
  const full = (name: string) => `${registry.address}/test/${name}`
  return {
    idle: full('busybox:idle'),
    serve: [full('serve:1'), full('serve:2'), full('serve:3')],
    echo: [full('echo:1'), full('echo:2'), full('echo:3')],
    broken: full('busybox:broken'),
    unhealthy: full('echo:unhealthy'),
  }
}
