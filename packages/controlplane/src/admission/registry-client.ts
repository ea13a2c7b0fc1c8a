import { BulkheadError } from '@bulkhead/shared'

export interface RegistryLogin {
  readonly host: string
  readonly insecure: boolean
  readonly username: string | null
  readonly password: string | null
}

const timeoutMs = 10_000
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')
const digestPattern = /^sha256:[0-9a-f]{64}$/

/**
 * Asks a registry for the digest of a tag, or whether it has a digest, through the distribution API (HEAD of the
 * manifest), with basic or token authentication as the registry demands. Throws BulkheadError `image-unresolved`,
 * saying what stood in the way.
 */
export async function resolveDigest(
  login: RegistryLogin,
  repository: string,
  reference: string,
  fetcher: typeof fetch = fetch,
): Promise<string> {
  const pinned = digestPattern.test(reference)
  const name = `${login.host}/${repository}${pinned ? '@' : ':'}${reference}`
  const url = `${login.insecure ? 'http' : 'https'}://${login.host}/v2/${repository}/manifests/${reference}`
  const refused = (why: string, advice: string): BulkheadError =>
    new BulkheadError('image-unresolved', `image ${name} could not be resolved: ${why}`, advice)
  const ask = async (authorization: string | null): Promise<Response> => {
    const headers = { accept: manifestTypes, ...(authorization === null ? {} : { authorization }) }
    try {
      return await fetcher(url, { method: 'HEAD', headers, redirect: 'error', signal: AbortSignal.timeout(timeoutMs) })
    } catch (error) {
      const { message, cause } = error as Error & { cause?: Error }
      throw refused(
        `registry ${login.host} does not answer: ${cause?.message ?? message}`,
        'check that the registry runs and that `insecure` in the configuration is right for it',
      )
    }
  }
  let response = await ask(null)
  if (response.status === 401) {
    response = await ask(await authorize(login, response.headers.get('www-authenticate') ?? '', repository, fetcher))
  }
  if (response.status === 401 || response.status === 403) {
    throw refused(`registry ${login.host} denied access`, 'check username and passwordFile of the registry in the configuration')
  }
  if (response.status === 404) {
    const part = pinned ? 'digest' : 'tag'
    throw refused(`the registry has no such image or ${part}`, `push the image first, or correct its name or ${part}`)
  }
  // A registry need not repeat the digest that it was asked for.
  const digest = response.headers.get('docker-content-digest') ?? (pinned ? reference : '')
  if (!response.ok || !digestPattern.test(digest)) {
    throw refused(`the registry answered ${response.status} without a digest`, 'look at the log of the registry')
  }
  if (pinned && digest !== reference) {
    throw refused(`the registry answered with digest ${digest}`, 'look at the registry: it serves something else under that digest')
  }
  return digest
}

async function authorize(
  { username, password }: RegistryLogin,
  challenge: string,
  repository: string,
  fetcher: typeof fetch,
): Promise<string | null> {
  const basic =
    username === null ? null : `Basic ${Buffer.from(`${username}:${password ?? ''}`).toString('base64')}`
  if (!/^bearer /i.test(challenge)) return basic
  const parameters = Object.fromEntries(
    [...challenge.matchAll(/(\w+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
  )
  const realm = parameters['realm']
  if (realm === undefined || !URL.canParse(realm)) return null
  const url = new URL(realm)
  if (parameters['service'] !== undefined) url.searchParams.set('service', parameters['service'])
  url.searchParams.set('scope', `repository:${repository}:pull`)
  try {
    const response = await fetcher(url, {
      headers: basic === null ? {} : { authorization: basic },
      signal: AbortSignal.timeout(timeoutMs),
    })
    const body = (await response.json()) as { token?: string; access_token?: string }
    const token = body.token ?? body.access_token
    return token === undefined ? null : `Bearer ${token}`
  } catch {
    return null
  }
}
