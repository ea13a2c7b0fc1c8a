import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import type { Blob, Image } from '../../scripts/image/image.ts'
import { createBlob } from '../../scripts/image/image.ts'
import { run, waitFor } from './command.ts'
import { withLog } from './logs.ts'

/** A user name and a password. */
export interface Credentials {
  readonly username: string
  readonly password: string
}

/** What {@link startRegistry} needs. */
export interface RegistrySettings {
  readonly address: string
  readonly port?: number
  readonly directory: string
  readonly credentials?: Credentials
}

/** A private registry without TLS. */
export interface Registry extends AsyncDisposable {
  /** HOST:PORT, the first part of the names of its images. */
  readonly address: string
  readonly credentials: Credentials | undefined
  /** Uploads an image as REPOSITORY:TAG and returns its full name. */
  push(image: Image, name: string): Promise<string>
  /** The digest that REPOSITORY:TAG stands for now. */
  digestOf(name: string): Promise<string>
}

const manifestType = 'application/vnd.docker.distribution.manifest.v2+json'
const configType = 'application/vnd.docker.container.image.v1+json'
const layerType = 'application/vnd.docker.image.rootfs.diff.tar'
const requestTimeoutMs = 60_000
const startTimeoutMs = 15_000

/** Hashes a password the way registries want it, with the crypt(3) of the system. */
async function createPasswordFile(path: string, credentials: Credentials): Promise<void> {
  const script = 'my $p = <STDIN>; print crypt($p, q($2y$05$) . q(bulkheadtestregistrySO))'
  const hash = await run(['perl', '-e', script], { input: credentials.password })
  writeFileSync(path, `${credentials.username}:${hash}\n`)
}

async function configure(settings: RegistrySettings, listen: string): Promise<string> {
  const { directory, credentials } = settings
  const passwords = join(directory, 'htpasswd')
  if (credentials !== undefined) await createPasswordFile(passwords, credentials)
  const path = join(directory, 'config.json')
  const htpasswd = { realm: 'registry', path: passwords }
  // JSON is YAML.
  const document = {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'data') }, delete: { enabled: true } },
    http: { addr: listen },
    ...(credentials === undefined ? {} : { auth: { htpasswd } }),
  }
  writeFileSync(path, JSON.stringify(document))
  return path
}

/** Speaks the registry's HTTP API with its credentials, and throws on any other status. */
function createRequester(base: string, credentials: Credentials | undefined) {
  const token =
    credentials === undefined
      ? undefined
      : Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')
  return async (path: string, init: RequestInit, expected: readonly number[]) => {
    const headers = new Headers(init.headers)
    if (token !== undefined) headers.set('authorization', `Basic ${token}`)
    const signal = AbortSignal.timeout(requestTimeoutMs)
    const response = await fetch(new URL(path, base), { ...init, headers, signal })
    if (expected.includes(response.status)) return response
    const text = await response.text()
    throw new Error(`registry: ${init.method ?? 'GET'} ${path}: ${response.status} ${text}`)
  }
}

type Requester = ReturnType<typeof createRequester>

async function pushBlob(request: Requester, repository: string, blob: Blob): Promise<void> {
  const path = `/v2/${repository}/blobs`
  const head = await request(`${path}/${blob.digest}`, { method: 'HEAD' }, [200, 404])
  if (head.status === 200) return
  const upload = await request(`${path}/uploads/`, { method: 'POST' }, [202])
  const location = new URL(upload.headers.get('location') ?? '', upload.url)
  location.searchParams.set('digest', blob.digest)
  const headers = { 'content-type': 'application/octet-stream' }
  const body = new Uint8Array(blob.data)
  await request(location.href, { method: 'PUT', headers, body }, [201])
}

function describeBlob(mediaType: string, blob: Blob) {
  return { mediaType, size: blob.data.length, digest: blob.digest }
}

async function pushImage(request: Requester, image: Image, name: string): Promise<void> {
  const [repository = '', tag = ''] = name.split(':')
  for (const blob of [...image.layers, image.config]) await pushBlob(request, repository, blob)
  const manifest = createBlob(
    Buffer.from(
      JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestType,
        config: describeBlob(configType, image.config),
        layers: image.layers.map((layer) => describeBlob(layerType, layer)),
      }),
    ),
  )
  const headers = { 'content-type': manifestType }
  const body = new Uint8Array(manifest.data)
  await request(`/v2/${repository}/manifests/${tag}`, { method: 'PUT', headers, body }, [201])
}

/** Starts a registry; it dies with us at the latest. */
export async function startRegistry(settings: RegistrySettings): Promise<Registry> {
  const { directory, credentials, port = 5000 } = settings
  const address = `${settings.address}:${port}`
  mkdirSync(directory, { recursive: true })
  const configuration = await configure(settings, address)
  const log = join(directory, 'registry.log')
  const argv = ['--pdeathsig', 'KILL', 'docker-registry', 'serve', configuration]
  const server = withLog(log, (fd) => spawn('setpriv', argv, { stdio: ['ignore', fd, fd] }))
  const gone = once(server, 'exit')
  const request = createRequester(`http://${address}`, credentials)
  try {
    await waitFor(`the registry to answer at ${address}`, startTimeoutMs, async () => {
      await request('/v2/', {}, [200])
      return true
    })
  } catch (error) {
    server.kill('SIGKILL')
    throw new Error(`the registry did not start: ${readFileSync(log, 'utf8')}`, { cause: error })
  }
  return {
    address,
    credentials,
    async push(image, name) {
      await pushImage(request, image, name)
      return `${address}/${name}`
    },
    async digestOf(name) {
      const [repository, tag] = name.split(':')
      const path = `/v2/${repository}/manifests/${tag}`
      const init = { method: 'HEAD', headers: { accept: manifestType } }
      const response = await request(path, init, [200])
      return response.headers.get('docker-content-digest') ?? ''
    },
    async [Symbol.asyncDispose]() {
      server.kill('SIGKILL')
      await gone
    },
  }
}
